//! Sums by two aggregators that do not put their heads together: Prio3SumVec (IRTF draft-irtf-cfrg-vdaf, crate `prio`).
//!
//! A member splits its vector into two shares, one for each aggregator, with a proof that every slot is within its limit.
//! The two check the proof together without seeing the vector; who is out of range is refused by both. Each adds its
//! shares, and the two sums of shares make the sum. Members send once and may then be gone. Where there are two bodies
//! that all trust not to collude (an association, a public institute) this asks less of members than masks do; where
//! there are not, it protects nothing. The caller seals each share to its aggregator.

use super::encode::{Encoding, Input};
use super::message::{Blob, Phase, blamed, bytes_of, out_of_turn, server, too_few};
use super::server::Sum;
use crate::privacy::{Bytes, Mechanism, Stream};
use prio::codec::{Encode, ParameterizedDecode};
use prio::field::FieldElementWithInteger as _;
use prio::vdaf::prio3::{Prio3, Prio3InputShare, Prio3PublicShare, Prio3SumVec, optimal_chunk_length};
use prio::vdaf::test_utils::TestVectorClient as _;
use prio::vdaf::{Aggregatable as _, AggregateShare, Aggregator, Collector as _, OutputShare, VerifyTransition};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toji_core::canonical::to_canonical;
use toji_core::{Digest, Error, Id, Place, Result};

/// Most bits of a slot: proofs grow with them.
const BITS_MAX: u32 = 40;
/// Random bytes of a report: a seed for the second share, one for the proof, and a blind for each aggregator.
const RANDOM_BYTES: usize = 128;

type State = <Prio3SumVec as Aggregator<32, 16>>::VerifyState;
type Opened = <Prio3SumVec as Aggregator<32, 16>>::VerifierShare;
type Verdict = <Prio3SumVec as Aggregator<32, 16>>::VerifierMessage;
type Field = prio::field::Field128;

/// What members and both aggregators agree on.
#[derive(Clone)]
pub struct TwoSum {
    encoding: Encoding,
    fewest: usize,
    context: Digest,
    vdaf: Prio3SumVec,
}

impl fmt::Debug for TwoSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TwoSum({} slots)", self.encoding.limits.len())
    }
}

/// What a member sends: the first two parts to both, each share to its aggregator alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Member.
    pub from: Id,
    /// Number that is used once.
    pub nonce: Blob,
    /// To both.
    pub public: Blob,
    /// To the first and to the second aggregator.
    pub shares: [Blob; 2],
}

/// What an aggregator says of a report, to the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Whose report.
    pub of: Id,
    /// Its part of the check.
    pub part: Blob,
}

/// What an aggregator added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfSum {
    /// Whose shares.
    pub included: BTreeSet<Id>,
    /// Their sum.
    pub share: Blob,
}

impl TwoSum {
    /// A sum under an identifier that is never used twice.
    ///
    /// # Errors
    /// Numbers that cannot be written, more than 40 bits, or sums of fewer than 3.
    pub fn new(id: &Id, encoding: Encoding, fewest: usize) -> Result<Self> {
        encoding.check(super::session::MEMBERS_MAX)?;
        let slots = encoding.limits.len();
        // From −2^bits to 2^bits, moved up by 2^bits.
        let max = 1u128 << (encoding.bits + 1);
        let length = slots * (encoding.bits as usize + 2);
        let made = Prio3::new_sum_vec(2, max, slots, optimal_chunk_length(length));
        match made {
            Ok(vdaf) if encoding.bits <= BITS_MAX && fewest >= 3 => {
                let context = Digest::of(format!("toji-commons two v1\n{id}\n{fewest}\n{}", to_canonical(&encoding)?).as_bytes());
                Ok(Self { encoding, fewest, context, vdaf })
            }
            _ => Err(Error::input(
                "E-AGGREGATE-011",
                format!("二者による和は {BITS_MAX} ビット以下、3 入力以上です"),
                format!("sums by two take at most {BITS_MAX} bits and at least 3 inputs"),
            )
            .at(Place::field("encoding"))
            .hint("ビット数を減らすか、入力を増やしてください", "take fewer bits, or more inputs")),
        }
    }

    /// A member's report, from 32 random bytes that are used once.
    ///
    /// # Errors
    /// A vector of another length or beyond its limits.
    pub fn report(&self, from: &Id, input: &Input, seed: &[u8; 32]) -> Result<Report> {
        let mut stream = Stream::new(Digest::of_parts(&[b"two", self.context.bytes(), from.as_str().as_bytes(), seed]).bytes());
        let (mut nonce, mut random) = ([0; 16], [0; RANDOM_BYTES]);
        stream.fill(&mut nonce);
        stream.fill(&mut random);
        let up = 1i64 << self.encoding.bits;
        let raised = input.0.iter().map(|step| u128::try_from(step.saturating_add(up)).ok());
        let malformed = || blamed(from, "ベクトルの長さか範囲が違います", "its vector has another length or is out of range");
        let raised: Vec<u128> = raised.collect::<Option<_>>().ok_or_else(malformed)?;
        let sharded = self.vdaf.shard_with_random(&self.words(from), &raised, &nonce, &random);
        let (public, shares) = sharded.map_err(|_| malformed())?;
        let [first, second] = shares.as_slice() else { return Err(malformed()) };
        Ok(Report {
            from: from.clone(),
            nonce: Blob(nonce.to_vec()),
            public: written(&public)?,
            shares: [written(first)?, written(second)?],
        })
    }

    /// The sum from what both aggregators added.
    ///
    /// # Errors
    /// They added different members, too few, or what they say is malformed.
    pub fn sum(&self, halves: [&HalfSum; 2]) -> Result<Sum> {
        let included = halves[0].included.clone();
        if halves[1].included != included {
            return Err(Error::input("E-AGGREGATE-012", "二者の加えた参加者が違います", "the two added different members")
                .at(Place::field("members"))
                .hint("両者が認めた参加者だけで足してください", "add those that both accepted"));
        }
        if included.len() < self.fewest {
            return Err(too_few(included.len(), self.fewest));
        }
        let malformed = || server("部分和が形式に反しています", "a sum of shares is malformed");
        let read = |half: &HalfSum| {
            AggregateShare::<Field>::get_decoded_with_param(&(&self.vdaf, &()), &half.share.0).map_err(|_| malformed())
        };
        let summed = self.vdaf.unshard(&(), [read(halves[0])?, read(halves[1])?], included.len());
        let summed = summed.map_err(|_| malformed())?;
        let down = (included.len() as i128) << self.encoding.bits;
        // Noise may carry a sum below zero, which the field writes as its upper half.
        let modulus = Field::modulus();
        let signed = |raised: u128| {
            if raised > modulus / 2 { i128::try_from(modulus - raised).map(|n| -n) } else { i128::try_from(raised) }
        };
        let step = |raised: &u128| i64::try_from(signed(*raised).ok()?.checked_sub(down)?).ok();
        let steps: Vec<i64> = summed.iter().map(step).collect::<Option<_>>().ok_or_else(malformed)?;
        let words: Vec<u64> = steps.iter().map(|step| step.cast_unsigned()).collect();
        Ok(Sum { values: self.encoding.decode(&words), steps, included })
    }

    /// Binds a report to its sum and member.
    fn words(&self, from: &Id) -> Vec<u8> {
        [&self.context.bytes()[..], from.as_str().as_bytes()].concat()
    }
}

/// One of the two aggregators.
#[derive(Clone)]
pub struct Half {
    sum: TwoSum,
    /// 0 or 1.
    which: usize,
    key: [u8; 32],
    waiting: BTreeMap<Id, State>,
    added: BTreeMap<Id, OutputShare<Field>>,
}

impl fmt::Debug for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Half({}, {} added)", self.which, self.added.len())
    }
}

impl Half {
    /// The first (`false`) or second aggregator, with the key that both have and no member knows.
    #[must_use]
    pub fn new(sum: TwoSum, second: bool, key: [u8; 32]) -> Self {
        Self { sum, which: usize::from(second), key, waiting: BTreeMap::new(), added: BTreeMap::new() }
    }

    /// Looks at a report by this aggregator's own share of it; each member's first one counts.
    ///
    /// # Errors
    /// A second report of a member, or a malformed one.
    pub fn open(&mut self, from: &Id, nonce: &Blob, public: &Blob, share: &Blob) -> Result<Opening> {
        if self.waiting.contains_key(from) || self.added.contains_key(from) {
            return Err(out_of_turn(Phase::Input));
        }
        let malformed = || blamed(from, "報告が形式に反しています", "its report is malformed");
        let nonce: [u8; 16] = bytes_of(nonce).ok_or_else(malformed)?;
        let vdaf = &self.sum.vdaf;
        let public = Prio3PublicShare::get_decoded_with_param(vdaf, &public.0).map_err(|_| malformed())?;
        let share = Prio3InputShare::get_decoded_with_param(&(vdaf, self.which), &share.0).map_err(|_| malformed())?;
        let began = vdaf.verify_init(&self.key, &self.sum.words(from), self.which, &(), &nonce, &public, &share);
        let (state, part) = began.map_err(|_| malformed())?;
        let part = written(&part)?;
        self.waiting.insert(from.clone(), state);
        Ok(Opening { of: from.clone(), part })
    }

    /// Accepts a report by what both said of it, the first aggregator's part first.
    ///
    /// # Errors
    /// A vector that is not within its limits, or shares that do not fit each other: both aggregators find the same.
    pub fn accept(&mut self, parts: [&Opening; 2]) -> Result<()> {
        let from = &parts[0].of;
        if parts[1].of != *from {
            return Err(out_of_turn(Phase::Input));
        }
        let state = self.waiting.remove(from).ok_or_else(|| out_of_turn(Phase::Input))?;
        let refused = || blamed(from, "範囲の証明が成り立ちません", "its proof of range does not hold");
        let read = |opening: &Opening| Opened::get_decoded_with_param(&state, &opening.part.0).map_err(|_| refused());
        let (first, second) = (read(parts[0])?, read(parts[1])?);
        let (vdaf, words) = (&self.sum.vdaf, self.sum.words(from));
        let verdict: Verdict = vdaf.verifier_shares_to_message(&words, &(), [first, second]).map_err(|_| refused())?;
        match vdaf.verify_next(&words, state, verdict) {
            Ok(VerifyTransition::Finish(share)) => {
                self.added.insert(from.clone(), share);
                Ok(())
            }
            _ => Err(refused()),
        }
    }

    /// Leaves out a member that the other aggregator has not accepted.
    pub fn leave_out(&mut self, member: &Id) {
        self.waiting.remove(member);
        self.added.remove(member);
    }

    /// The sum of this aggregator's shares, of those that it accepted.
    ///
    /// # Errors
    /// Never for shares that were accepted.
    pub fn total(&self) -> Result<HalfSum> {
        self.with(None)
    }

    /// The same with this aggregator's own noise on every slot, in steps of the encoding. When both add theirs, neither
    /// sees a sum that only its own noise protects.
    ///
    /// # Errors
    /// Noise that cannot be drawn.
    pub fn noised(&self, mechanism: Mechanism, bytes: &mut impl Bytes) -> Result<HalfSum> {
        let draw = |_| {
            let step = mechanism.draw(bytes)?;
            let size = Field::from(u128::from(step.unsigned_abs()));
            Ok(if step < 0 { -size } else { size })
        };
        let noise: Vec<Field> = (0..self.sum.encoding.limits.len()).map(draw).collect::<Result<_>>()?;
        self.with(Some(&noise.into()))
    }

    fn with(&self, noise: Option<&OutputShare<Field>>) -> Result<HalfSum> {
        let mut total = self.sum.vdaf.aggregate_init(&());
        for share in self.added.values().chain(noise) {
            total.accumulate(share).map_err(|e| Error::bug("E-AGGREGATE-013", e))?;
        }
        Ok(HalfSum { included: self.added.keys().cloned().collect(), share: written(&total)? })
    }
}

fn written(message: &impl Encode) -> Result<Blob> {
    message.get_encoded().map(Blob).map_err(|e| Error::bug("E-AGGREGATE-013", e))
}
