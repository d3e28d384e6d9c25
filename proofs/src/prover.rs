//! The symbolic compiler with its solver.

use crate::Result;
use cedar_policy::{Authorizer, Decision, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env, solver::LocalSolver};
use tokio::runtime::{Builder, Runtime};

/// A request with its entities that refutes what was claimed.
#[derive(Debug, Clone)]
pub struct Counterexample {
    /// What kind of request it is.
    pub kind: RequestEnv,
    /// The request with its entities.
    pub example: Env,
}

impl Counterexample {
    /// Does this set permit it? Asked of the ordinary authorizer, so that it can contradict the symbolic one.
    #[must_use]
    pub fn is_permitted_by(&self, set: &PolicySet) -> bool {
        let response = Authorizer::new().is_authorized(&self.example.request, set, &self.example.entities);
        response.decision() == Decision::Allow
    }

    /// The request and the entities that have attributes, a line each.
    #[must_use]
    pub fn told(&self) -> String {
        let Env { request, entities } = &self.example;
        let name = |uid: Option<&cedar_policy::EntityUid>| uid.map_or_else(String::new, ToString::to_string);
        let context = request.context().map_or_else(String::new, ToString::to_string);
        let (who, what) = (name(request.principal()), name(request.resource()));
        let mut lines = vec![format!("{who} {} {what} {context}", name(request.action()))];
        let mut of_entities: Vec<String> = Vec::new();
        for entity in entities.iter() {
            let attributes = entity.attrs().map(|(key, value)| match value {
                Ok(value) => format!("{key}: {value}"),
                Err(error) => format!("{key}: {error}"),
            });
            let attributes: Vec<String> = attributes.collect();
            if !attributes.is_empty() {
                of_entities.push(format!("{} {{ {} }}", entity.uid(), attributes.join(", ")));
            }
        }
        of_entities.sort();
        lines.extend(of_entities);
        lines.join("\n")
    }
}

/// A set, compiled for every kind of request.
#[derive(Debug)]
pub struct Compiled {
    of: Vec<CompiledPolicySet>,
}

/// Proves or refutes. A claim that the solver cannot settle is an error.
#[derive(Debug)]
pub struct Prover {
    runtime: Runtime,
    compiler: CedarSymCompiler<LocalSolver>,
    schema: Schema,
    kinds: Vec<RequestEnv>,
}

impl Prover {
    /// Starts the solver that the environment variable `CVC5` names.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn new(schema: Schema) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let guard = runtime.enter();
        let compiler = CedarSymCompiler::new(LocalSolver::cvc5()?)?;
        drop(guard);
        let mut kinds: Vec<RequestEnv> = schema.request_envs().collect();
        kinds.sort_by_key(|k| (k.action().to_string(), k.principal().to_string()));
        Ok(Self { runtime, compiler, schema, kinds })
    }

    /// The kinds of request: principal × action × resource.
    #[must_use]
    pub fn kinds(&self) -> &[RequestEnv] {
        &self.kinds
    }

    /// Compiles a set for every kind of request.
    ///
    /// # Errors
    /// It does not fit the schema.
    pub fn compile(&self, set: &PolicySet) -> Result<Compiled> {
        let mut of = Vec::new();
        for kind in &self.kinds {
            of.push(CompiledPolicySet::compile(set, kind, &self.schema)?);
        }
        Ok(Compiled { of })
    }

    /// Requests that both sets permit, at most one of each kind; none is a proof that there are none.
    ///
    /// # Errors
    /// The solver fails or does not know.
    pub fn both(&mut self, one: &Compiled, other: &Compiled) -> Result<Vec<Counterexample>> {
        self.ask(one, other, Question::Both)
    }

    /// Requests that the first set permits and the second does not, at most one of each kind.
    ///
    /// # Errors
    /// As [`Prover::both`].
    pub fn only_first(&mut self, one: &Compiled, other: &Compiled) -> Result<Vec<Counterexample>> {
        self.ask(one, other, Question::OnlyFirst)
    }

    fn ask(&mut self, one: &Compiled, other: &Compiled, question: Question) -> Result<Vec<Counterexample>> {
        let mut found = Vec::new();
        for (n, (one, other)) in one.of.iter().zip(&other.of).enumerate() {
            let compiler = &mut self.compiler;
            let example = self.runtime.block_on(async {
                match question {
                    Question::Both => compiler.check_disjoint_with_counterexample_opt(one, other).await,
                    Question::OnlyFirst => compiler.check_implies_with_counterexample_opt(one, other).await,
                }
            })?;
            found.extend(example.map(|example| Counterexample { kind: self.kinds[n].clone(), example }));
        }
        Ok(found)
    }

    /// Kinds of request of which a set permits any at all.
    ///
    /// # Errors
    /// As [`Prover::both`].
    pub fn reach(&mut self, set: &Compiled) -> Result<usize> {
        let mut reached = 0;
        for compiled in &set.of {
            reached += usize::from(!self.runtime.block_on(self.compiler.check_always_denies_opt(compiled))?);
        }
        Ok(reached)
    }

    /// Rules that fail on some request of some kind (a rule that fails is skipped, also one that forbids), with how
    /// many checks that took.
    ///
    /// # Errors
    /// As [`Prover::both`].
    pub fn failing(&mut self, set: &PolicySet) -> Result<(Vec<String>, usize)> {
        let (mut failing, mut checks) = (Vec::new(), 0);
        for policy in set.policies() {
            for kind in &self.kinds {
                let compiled = CompiledPolicy::compile(policy, kind, &self.schema)?;
                checks += 1;
                if !self.runtime.block_on(self.compiler.check_never_errors_opt(&compiled))? {
                    failing.push(format!("{} ({})", policy.id(), kind.action()));
                }
            }
        }
        Ok((failing, checks))
    }
}

#[derive(Debug, Clone, Copy)]
enum Question {
    Both,
    OnlyFirst,
}
