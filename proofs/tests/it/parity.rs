//! The same answer: Cedar's authorizer on the compiled text, and the decision.

use crate::scenes::{Deal, Mix, PURPOSES, Side, random_world, role_person, scenes, world_of};
use crate::world::World;
use crate::{day, id};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Schema};
use std::collections::HashMap;
use toji_commons::agreement::{Listing, Purpose, Role};
use toji_commons::decide::{Action, Commons, Request};
use toji_commons::policy::{RULES, agreement_rules, compile, question};
use toji_proofs::text::{named, schema, valid};

/// Answers questions to one commons by its Cedar text. Names and contexts are read once, as a server would.
struct Cedar<'a> {
    schema: &'a Schema,
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    names: &'a mut HashMap<String, EntityUid>,
    asked: u32,
}

impl Cedar<'_> {
    fn allows(&mut self, commons: &Commons, request: &Request<'_>) -> bool {
        let asked = question(commons, request);
        let mut name = |key: &str| {
            let text = asked[key].as_str().unwrap();
            if !self.names.contains_key(text) {
                self.names.insert(text.to_owned(), text.parse().unwrap());
            }
            self.names[text].clone()
        };
        let (who, action, what) = (name("principal"), name("action"), name("resource"));
        // One in twenty is held to the schema; they are all made alike.
        let schema = self.asked.is_multiple_of(20).then_some(self.schema);
        self.asked += 1;
        let context = Context::from_json_value(asked["context"].clone(), schema.map(|s| (s, &action))).unwrap();
        let asked = cedar_policy::Request::new(who, action, what, context, schema).unwrap();
        let response = self.authorizer.is_authorized(&asked, &self.policies, &self.entities);
        let failed: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
        // Only of a data set that is not there can a rule know nothing.
        let known = compile_knows(&self.entities, asked.resource().unwrap());
        assert!(!known || failed.is_empty(), "{failed:?}");
        response.decision() == Decision::Allow
    }
}

fn compile_knows(entities: &Entities, what: &EntityUid) -> bool {
    entities.get(what).is_some()
}

/// 200 worlds with 600 requests each.
#[test]
fn random_requests_are_answered_alike() {
    let schema = schema().unwrap();
    let mut names = HashMap::new();
    let (mut asked, mut allowed) = (0u32, 0u32);
    for seed in 0..200 {
        let mut mix = Mix(seed);
        let world = random_world(&mut mix);
        let commons = world.commons();
        let compiled = compile(&commons).unwrap();
        let mut cedar = Cedar {
            schema: &schema,
            authorizer: Authorizer::new(),
            policies: valid(&compiled.policies, &schema).unwrap(),
            entities: Entities::from_json_value(compiled.entities, Some(&schema)).unwrap(),
            names: &mut names,
            asked: 0,
        };
        for _ in 0..600 {
            let who = match mix.below(12) {
                0 => id("stranger"),
                _ => world.persons[mix.below(8) as usize].id.clone(),
            };
            let data_set = id(&format!("ds{}", mix.below(20).min(mix.below(5))));
            let (action, purpose) = (mix.one(&Action::ALL), mix.one(&Purpose::ALL));
            // Also at the very instants at which something begins or ends.
            let now = day(mix.below(30) as i64 - 15).plus_ns(mix.below(3) as i64 - 1).unwrap();
            let request = Request { who: &who, action, data_set: &data_set, purpose, now };
            let decision = commons.decide(&request);
            assert_eq!(cedar.allows(&commons, &request), decision.allow(), "{request:?} {decision:?} in {world:#?}");
            asked += 1;
            allowed += u32::from(decision.allow());
        }
    }
    println!("{asked} random requests answered alike, {allowed} of them permitted");
    assert!(asked >= 100_000 && allowed > asked / 20);
}

/// Every combination of what clauses ask about. A purpose matters to agreements alone, so it is varied where there is
/// one; all roles ask where no list and no rule on human-derived data stands before them, else the one that may do
/// everything and one that may see nothing.
#[test]
fn the_table_of_small_worlds_is_answered_alike() {
    let schema = schema().unwrap();
    let rules = named(RULES).unwrap();
    let mut names = HashMap::new();
    let mut agreements: HashMap<String, PolicySet> = HashMap::new();
    let data_set = id("koji");
    let (mut rows, mut allowed) = (0u32, 0u32);
    for scene in scenes() {
        let world: World = world_of(&scene);
        let commons = world.commons();
        let compiled = compile(&commons).unwrap();
        let text: String = world.agreements.iter().map(|a| agreement_rules(a).unwrap()).collect();
        assert_eq!(compiled.policies.strip_prefix(RULES).unwrap().trim(), text.trim());
        let policies = agreements.entry(text).or_insert_with_key(|text| {
            let mut all = rules.clone();
            named(text).unwrap().policies().for_each(|p| all.add(p.clone()).unwrap());
            all
        });
        let mut cedar = Cedar {
            schema: &schema,
            authorizer: Authorizer::new(),
            policies: policies.clone(),
            entities: Entities::from_json_value(compiled.entities, Some(&schema)).unwrap(),
            names: &mut names,
            asked: 0,
        };
        let plain = scene.listing == Listing::Clear && !scene.covered && !scene.human_derived;
        let roles = if plain { &Role::ALL[..] } else { &[Role::Steward, Role::Auditor] };
        let purposes = if scene.side == Side::Party && scene.deal != Deal::None { &PURPOSES[..] } else { &PURPOSES[..1] };
        for role in roles {
            let who = role_person(*role);
            for action in Action::ALL {
                for &purpose in purposes {
                    let request = Request { who: &who, action, data_set: &data_set, purpose, now: day(0) };
                    let decision = commons.decide(&request);
                    assert_eq!(cedar.allows(&commons, &request), decision.allow(), "{scene:?} {role:?} {request:?} {decision:?}");
                    rows += 1;
                    allowed += u32::from(decision.allow());
                }
            }
        }
    }
    assert!(rows > 200_000);
    println!("{rows} rows of the table answered alike, {allowed} of them permitted");
}
