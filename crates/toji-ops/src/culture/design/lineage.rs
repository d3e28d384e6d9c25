//! From a test over constraint, edit and strain to the next test, and back.

use super::ids;
use super::rows::refers;
use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use toji_core::{Record, Result};

/// Most nodes of one tree.
const NODES_MAX: usize = 500;

/// What a node of the design is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "DesignRole")]
pub(crate) enum Role {
    /// A run.
    Test,
    /// What it asks of the next strain.
    Constraint,
    /// The cycle that took it up.
    Cycle,
    /// The edit that answers it.
    Edit,
    /// The strain the edit made.
    Strain,
}

impl Role {
    fn kind(self) -> &'static str {
        match self {
            Self::Test => "run",
            Self::Constraint => "design-constraint",
            Self::Cycle => "design-cycle",
            Self::Edit => "strain-edit",
            Self::Strain => "strain",
        }
    }
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct DesignNode {
    /// What it is.
    pub(crate) design_role: Role,
    /// Record.
    pub(crate) id: String,
    /// Title.
    pub(crate) title: String,
    /// State, of what has one.
    pub(crate) design_state: Option<String>,
    /// Node it hangs on.
    pub(crate) from: Option<String>,
    /// Depth in the tree.
    pub(crate) depth: usize,
}

/// Which way a tree grows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To what came of it.
    On,
    /// To what it came from.
    Back,
}

/// What a run came from, and what came of these runs; each tree parents before children.
///
/// # Errors
/// Storage faults.
pub(crate) async fn design_lines(context: &Context, run: &str, all: &[String]) -> Result<(Vec<DesignNode>, Vec<DesignNode>)> {
    let back = tree(context, &[run.to_owned()], Way::Back).await?;
    let on = tree(context, all, Way::On).await?;
    // A test with nothing behind it is no tree.
    let grown = |nodes: Vec<DesignNode>| {
        let bare = |i: usize| nodes[i].depth == 0 && nodes.get(i + 1).is_none_or(|n| n.depth == 0);
        let keep: Vec<bool> = (0..nodes.len()).map(|i| !bare(i)).collect();
        nodes.into_iter().zip(keep).filter(|(_, k)| *k).map(|(n, _)| n).collect::<Vec<DesignNode>>()
    };
    Ok((grown(back), grown(on)))
}

async fn tree(context: &Context, roots: &[String], way: Way) -> Result<Vec<DesignNode>> {
    let store = &context.session.store;
    let mut out: Vec<DesignNode> = Vec::new();
    let mut seen: BTreeSet<(&'static str, String)> = BTreeSet::new();
    let mut stack: Vec<(Role, String, Option<String>, usize)> =
        roots.iter().rev().map(|r| (Role::Test, r.clone(), None, 0)).collect();
    while let Some((role, id, from, depth)) = stack.pop() {
        // Roots that were reached through another one hang there already.
        if out.len() >= NODES_MAX || !seen.insert((role.kind(), id.clone())) {
            continue;
        }
        context.progress.step(out.len() as u64, None, "設計の系譜をたどっています", "following the design")?;
        // What the asker may not see is not there.
        let Ok(record) = store.record(&context.access, role.kind(), &id, None).await else { continue };
        let children = match way {
            Way::On => after(context, role, &record).await?,
            Way::Back => before(context, role, &record).await?,
        };
        out.push(DesignNode {
            design_role: role,
            title: ["title", "name"].iter().find_map(|f| text(&record.fields, f)).unwrap_or_default(),
            design_state: if role == Role::Test || role == Role::Strain { None } else { text(&record.fields, "state") },
            from,
            depth,
            id: id.clone(),
        });
        stack.extend(children.into_iter().rev().map(|(role, child)| (role, child, Some(id.clone()), depth + 1)));
    }
    Ok(out)
}

/// Records of a kind that refer to one under a name.
async fn naming(context: &Context, kind: &str, name: &str, target: &Record) -> Result<Vec<String>> {
    let found = context.session.store.linked(&context.access, kind, &target.kind, target.id.as_str()).await?;
    let named = found.into_iter().filter(|r| !r.retired && refers(r, name, target.id.as_str()));
    Ok(named.map(|r| r.id.to_string()).collect())
}

type Children = Vec<(Role, String)>;

fn of(role: Role, ids: impl IntoIterator<Item = String>) -> Children {
    ids.into_iter().map(|id| (role, id)).collect()
}

/// What came of a node.
async fn after(context: &Context, role: Role, record: &Record) -> Result<Children> {
    Ok(match role {
        Role::Test => of(Role::Constraint, naming(context, "design-constraint", "run", record).await?),
        Role::Constraint => {
            let mut out = of(Role::Cycle, text(&record.fields, "cycle"));
            out.extend(of(Role::Edit, naming(context, "strain-edit", "constraints", record).await?));
            out
        }
        Role::Edit => of(Role::Strain, text(&record.fields, "strain")),
        Role::Strain => of(Role::Test, naming(context, "run", "strain", record).await?),
        Role::Cycle => Vec::new(),
    })
}

/// What a node came from.
async fn before(context: &Context, role: Role, record: &Record) -> Result<Children> {
    Ok(match role {
        Role::Test => of(Role::Strain, text(&record.fields, "strain")),
        Role::Strain => {
            let mut out = of(Role::Edit, naming(context, "strain-edit", "strain", record).await?);
            out.extend(of(Role::Strain, text(&record.fields, "parent")));
            out
        }
        Role::Edit => {
            let mut out = of(Role::Constraint, ids(&record.fields, "constraints"));
            out.extend(of(Role::Cycle, text(&record.fields, "cycle")));
            out
        }
        Role::Constraint => of(Role::Test, text(&record.fields, "run")),
        Role::Cycle => Vec::new(),
    })
}
