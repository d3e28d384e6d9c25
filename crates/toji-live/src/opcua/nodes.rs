//! The nodes of a configuration on a server: by id, or all variables below a node, with their units.

use crate::config::{Node, OpcUa, OpcUaRun, Word};
use crate::fault;
use opcua::client::Session;
use opcua::types::{
    BrowseDescription, BrowseDirection, BrowseResultMask, EUInformation, NodeClass, NodeId, ReadValueId, ReferenceDescription,
    ReferenceTypeId, TimestampsToReturn, Variant,
};
use std::collections::HashSet;
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{MarkKind, Signal};
use toji_core::{Place, Result};

/// How deep and how far a browse goes.
const DEPTH: usize = 10;
const NODES: usize = 50_000;
/// Nodes asked about in one request.
const NODES_A_REQUEST: usize = 200;

/// A node that is subscribed to.
#[derive(Debug, Clone)]
pub struct Item {
    /// Index in the configuration's runs.
    pub run: usize,
    /// Node.
    pub node: NodeId,
    /// Signal it is.
    pub signal: Signal,
    /// Words that say something of the batch.
    pub words: Vec<(String, MarkKind)>,
    /// It is only listened to for its words, and no signal.
    pub words_only: bool,
}

impl Item {
    fn new(run: usize, node: NodeId, signal: Signal) -> Self {
        Self { run, node, signal, words: Vec::new(), words_only: false }
    }
}

/// All nodes of all runs, in order.
///
/// # Errors
/// A node id that is none, or the server is away.
pub async fn find(session: &Session, source: &OpcUa) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for (run, declared) in source.runs.iter().enumerate() {
        for node in &declared.nodes {
            let id = parse(source, &node.id)?;
            let signal = declare(&id, node.key.as_deref(), Some(node));
            items.push(Item::new(run, id, signal));
        }
        if let Some(root) = &declared.browse {
            let root = parse(source, root)?;
            let known: HashSet<NodeId> = items.iter().map(|i: &Item| i.node.clone()).collect();
            let found = below(session, source, root).await?;
            let fresh = found.into_iter().filter(|(id, _)| !known.contains(id));
            items.extend(fresh.map(|(id, key)| Item::new(run, id.clone(), declare(&id, Some(&key), None))));
        }
        words(source, run, declared, &mut items)?;
    }
    if items.is_empty() {
        return Err(super::nothing(source));
    }
    units(session, source, &mut items).await?;
    Ok(items)
}

/// Notes on a run's nodes what they say of its batch; a node that is no signal is only listened to.
fn words(source: &OpcUa, run: usize, declared: &OpcUaRun, items: &mut Vec<Item>) -> Result<()> {
    let rules: [(&Option<Word>, MarkKind); 2] = [(&declared.started, MarkKind::Started), (&declared.ended, MarkKind::Ended)];
    for (word, kind) in rules.into_iter().filter_map(|(word, kind)| Some((word.as_ref()?, kind))) {
        let id = parse(source, &word.at)?;
        let at = items.iter().position(|item| item.run == run && item.node == id);
        let at = at.unwrap_or_else(|| {
            items.push(Item { words_only: true, ..Item::new(run, id.clone(), declare(&id, None, None)) });
            items.len() - 1
        });
        if let Some(item) = items.get_mut(at) {
            item.words.push((word.is.clone(), kind));
        }
    }
    Ok(())
}

/// The run of an item.
#[must_use]
pub fn run_of<'s>(source: &'s OpcUa, item: &Item) -> Option<&'s OpcUaRun> {
    source.runs.get(item.run)
}

fn parse(source: &OpcUa, id: &str) -> Result<NodeId> {
    id.parse().map_err(|_| {
        let place = Place::field(format!("{}: {id}", source.name));
        fault::config(place, "ノード ID として読めません", "not readable as a node id")
            .hint("例: ns=2;s=R07.pH、ns=3;i=1001", "for example ns=2;s=R07.pH or ns=3;i=1001")
    })
}

fn declare(id: &NodeId, key: Option<&str>, node: Option<&Node>) -> Signal {
    let key = key.map_or_else(|| id.to_string(), str::to_owned);
    let variable = node.and_then(|n| n.variable.clone());
    Signal {
        variable: variable.or_else(|| toji_core::variable::find(&key).map(|(v, _)| v.id.to_string())),
        key,
        address: id.to_string(),
        raw_unit: node.and_then(|n| n.unit.clone()),
        origin: node.map_or(Origin::Unknown, |n| n.origin),
        sampling: Sampling::OnChange { deadband: None },
    }
}

/// Every variable below a node, with the path of names from there.
async fn below(session: &Session, source: &OpcUa, root: NodeId) -> Result<Vec<(NodeId, String)>> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([root.clone()]);
    let mut level = vec![(root, String::new())];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for chunk in level.chunks(NODES_A_REQUEST) {
            let ids: Vec<NodeId> = chunk.iter().map(|(id, _)| id.clone()).collect();
            let children = references(session, source, &ids, ReferenceTypeId::HierarchicalReferences).await?;
            for ((_, path), children) in chunk.iter().zip(children) {
                for child in children {
                    let is_property = child.reference_type_id == ReferenceTypeId::HasProperty;
                    if is_property || !seen.insert(child.node_id.node_id.clone()) || seen.len() > NODES {
                        continue;
                    }
                    let name = child.browse_name.name.as_ref();
                    let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                    if child.node_class == NodeClass::Variable {
                        found.push((child.node_id.node_id.clone(), path.clone()));
                    }
                    next.push((child.node_id.node_id, path));
                }
            }
        }
        level = next;
    }
    Ok(found)
}

/// The children of each node by one kind of reference.
async fn references(
    session: &Session,
    source: &OpcUa,
    nodes: &[NodeId],
    kind: ReferenceTypeId,
) -> Result<Vec<Vec<ReferenceDescription>>> {
    let away = |why: opcua::types::Error| fault::away(&source.url, why);
    let describe = |node: &NodeId| BrowseDescription {
        node_id: node.clone(),
        browse_direction: BrowseDirection::Forward,
        reference_type_id: kind.into(),
        include_subtypes: true,
        node_class_mask: 0,
        result_mask: BrowseResultMask::All as u32,
    };
    let asked: Vec<BrowseDescription> = nodes.iter().map(describe).collect();
    let results = session.browse(&asked, 0, None).await.map_err(away)?;
    let mut all = Vec::new();
    for mut result in results {
        let mut here = result.references.take().unwrap_or_default();
        while !result.continuation_point.is_null_or_empty() {
            let more = session.browse_next(false, &[result.continuation_point.clone()]).await.map_err(away)?;
            let Some(more) = more.into_iter().next() else { break };
            result = more;
            here.extend(result.references.take().unwrap_or_default());
        }
        all.push(here);
    }
    Ok(all)
}

/// Units the nodes state themselves, where the configuration states none.
async fn units(session: &Session, source: &OpcUa, items: &mut [Item]) -> Result<()> {
    let asked: Vec<usize> =
        (0..items.len()).filter(|i| items.get(*i).is_some_and(|item| item.signal.raw_unit.is_none())).collect();
    for chunk in asked.chunks(NODES_A_REQUEST) {
        let ids: Vec<NodeId> = chunk.iter().filter_map(|i| Some(items.get(*i)?.node.clone())).collect();
        let properties = references(session, source, &ids, ReferenceTypeId::HasProperty).await?;
        let unit = |p: &ReferenceDescription| p.browse_name.name.as_ref() == "EngineeringUnits";
        let with: Vec<(usize, NodeId)> = chunk
            .iter()
            .zip(properties)
            .filter_map(|(at, properties)| Some((*at, properties.into_iter().find(unit)?.node_id.node_id)))
            .collect();
        if with.is_empty() {
            continue;
        }
        let reads: Vec<ReadValueId> = with.iter().map(|(_, id)| ReadValueId::from(id.clone())).collect();
        let values = session.read(&reads, TimestampsToReturn::Neither, 0.0).await.map_err(|e| fault::away(&source.url, e))?;
        for ((at, _), value) in with.into_iter().zip(values) {
            let Some(Variant::ExtensionObject(object)) = value.value else { continue };
            let name = object.inner_as::<EUInformation>().map(|eu| eu.display_name.text.as_ref().to_owned());
            if let (Some(name), Some(item)) = (name.filter(|n| !n.is_empty()), items.get_mut(at)) {
                item.signal.raw_unit = Some(name);
            }
        }
    }
    Ok(())
}
