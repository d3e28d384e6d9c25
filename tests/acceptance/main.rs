//! Acceptance: one test for every function that `seeds/systems.csv` marks as core, named by its
//! identifier first. Each takes the clauses of the column `acceptance_en` literally and goes through the
//! operations alone, as every face does. `docs/coverage.md` is generated from the names of these tests.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at the first thing that is not as it should be")]

mod a_campaign;
mod a_cellfree;
mod a_co2;
mod a_commons;
mod a_dataset;
mod a_design;
mod a_feedback;
mod a_marks;
mod a_rank;
mod a_sense;
mod a_sum;
mod a_terms;
mod a_uses;
mod b_continuous;
mod b_control;
mod b_gas;
mod b_hybrid;
mod b_monitor;
mod b_operators;
mod b_parallel;
mod b_process;
mod b_scale;
mod bench;
mod c_instruments;
mod coverage;
mod d_security;
mod e_markets;
mod f_programmes;
mod g_ventures;
mod h_sites;
mod i_lots;
mod j_research;
