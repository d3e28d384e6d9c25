//! `toji`: the command line over the registry of operations.
//!
//! **Architecture invariant:** no operation is named here except in the three short forms of
//! [`tree::SHORT_FORMS`]. Commands, flags, help and tables are made from the registry, its JSON
//! schemas and the JSON of the answers; a new operation needs no change here.

mod allocator;
mod call;
mod command;
mod complete;
mod input;
mod output;
mod progress;
mod render;
mod special;
mod tree;
mod usage;
mod words;

use command::Settings;
use std::process::ExitCode;

fn main() -> ExitCode {
    allocator::give_back_soon();
    let arguments: Vec<String> = std::env::args_os().map(|one| one.to_string_lossy().into_owned()).collect();
    let settings = Settings::before_parsing(&arguments);
    let operations = toji_ops::operations();
    let mut command = command::build(operations, &settings);
    let matches = match command.try_get_matches_from_mut(&arguments) {
        Ok(matches) => matches,
        Err(error) => return usage::leave(&error, &settings),
    };
    let settings = settings.after_parsing(&matches);
    command::log(&settings);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => {
            let error = toji_core::Error::storage(
                "E-CLI-005",
                format!("実行を始められません: {fault}"),
                format!("cannot start: {fault}"),
            );
            return output::refuse(&error, &settings);
        }
    };
    let result = runtime.block_on(command::run(operations, &matches, &settings, command));
    // A blocking read that was given up must not hold the process.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::refuse(&error, &settings),
    }
}
