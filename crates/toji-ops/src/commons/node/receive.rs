//! `node receive`: a member's node deposits a data set of its own, run by run.

use super::inflow::data_of;
use super::parcel::{Package, Piece, Plan};
use super::take::{Arrived, Transfer, beside_runs, missing, run_of};
use crate::commons::seat::{Actor, actor, standing};
use crate::commons::share::own_and_nowhere_else;
use crate::commons::write::{id_in, write, write_all};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_commons::agreement::Role;
use toji_core::{Access, Category, Error, Place, Result};
use toji_store::Put;

/// Who may deposit for an organisation.
pub(super) const DEPOSITORS: [Role; 2] = [Role::ContributorAdmin, Role::Steward];

/// Input of `node receive`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Plan of the data set.
    ///
    /// データセットの計画。
    plan: Plan,
    /// One run of it; without it, the data set itself, after all its runs.
    ///
    /// 培養一つの荷。省略時は、培養をすべて送り終えたデータセット自体。
    #[serde(default)]
    package: Option<Package>,
}

/// Output of `node receive`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Received {
    /// Is it kept?
    done: bool,
    /// Files that must be sent first (`/api/v1/upload`).
    missing: Vec<Piece>,
    /// Records that came in.
    pub(super) records: u64,
    /// Points that came in.
    pub(super) points: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "node receive",
            label: ["荷の預かり", "Take a deposit"],
            about: [
                "会員のノードから、その組織のデータセットを預かります。足りないファイルを答え、そろった培養から一つずつ、一度の取引で保存します。送り主の組織のものになり、繰り返しても変わりません。提供管理者かデータ管理責任者が行います。",
                "Takes a data set of its own from a member's node. It answers which files are missing, and keeps each run, once it is whole, in one transaction. It belongs to the organisation that sent it; sending it again changes nothing. It is for the contributor administrator or data steward.",
            ],
            positional: &[],
            example: "toji node receive --plan @plan.json --package @run.json",
        },
        Effect::Write,
        |context: Context, input: Input| async move {
            let standing = standing(&context).await?;
            let actor = actor(&context, &standing, &DEPOSITORS, Some(&input.plan.owner))?;
            receive(&context, &actor, &input.plan, input.package.as_ref()).await
        },
    )]
}

/// Takes one run, or the data set itself once its runs are there.
pub(super) async fn receive(context: &Context, actor: &Actor, plan: &Plan, package: Option<&Package>) -> Result<Received> {
    plan.known()?;
    let standing = standing(context).await?;
    let own = actor.organisation.as_str();
    if plan.owner != own {
        return Err(Error::new(
            Category::Denied,
            "E-NODE-009",
            "他社のデータは預けられません",
            "only what is your own can be deposited",
        )
        .at(Place::field("plan/owner"))
        .hint("所有者のノードから送ってもらってください", "have it sent from the node of its owner"));
    }
    let reader = context.access.clone();
    let lacking = match package {
        Some(package) => missing(context, &reader, package.pieces()).await?,
        None => missing(context, &reader, plan.pieces()).await?,
    };
    if !lacking.is_empty() {
        return Ok(Received { done: false, missing: lacking, records: 0, points: 0 });
    }
    let into: Access = if context.access.sees_all() { data_of(own, &actor.id) } else { context.access.clone() };
    let house = plan.house.clone();
    let transfer = Transfer { house, ..Transfer::new("received", None, plan) }.go_on(context).await?;
    let Some(package) = package else {
        let (Arrived { records, points }, fields) = beside_runs(context, "node receive", &into, &reader, plan).await?;
        let id = id_in("data_set", &plan.data_set)?;
        own_and_nowhere_else(context, &standing, &id, &fields).await?;
        let puts = vec![Put::new("data-set", id, fields), transfer.put(context, "done", None)];
        write_all(context, actor, "node receive", None, puts).await?;
        return Ok(Received { done: true, missing: Vec::new(), records, points });
    };
    let Arrived { records, points } = run_of(context, "node receive", &into, &reader, package).await?;
    if transfer.stamps.get(&package.run) == Some(&package.stamp) {
        return Ok(Received { done: true, missing: Vec::new(), records, points });
    }
    let mut transfer = Transfer {
        records: transfer.records + records,
        points: transfer.points + points,
        bytes: transfer.bytes + package.bytes(),
        ..transfer
    };
    transfer.stamps.insert(package.run.clone(), package.stamp.clone());
    write(context, actor, "node receive", None, transfer.put(context, "under-way", None)).await?;
    Ok(Received { done: true, missing: Vec::new(), records, points })
}
