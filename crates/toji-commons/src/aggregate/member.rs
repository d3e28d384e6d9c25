//! The side of a member.

use super::encode::Input;
use super::message::{
    Advert, Adverts, Blob, Consent, Consents, Inbox, Included, Masked, Phase, Shares, Signed, Unmasking, blamed, bytes_of,
    out_of_turn, server, stranger, too_few,
};
use super::session::Session;
use super::shamir::{Dealing, Share};
use crate::log::SigningKey;
use crate::privacy::{Bytes as _, Stream};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toji_core::{Digest, Id, Result};
use x25519_dalek::{PublicKey, StaticSecret};

/// A member in one session. It cannot be copied: a member that masked twice or consented twice would tell.
pub struct Member {
    session: Session,
    digest: Digest,
    me: Id,
    key: SigningKey,
    seal: StaticSecret,
    seed: Dealing,
    mask: Dealing,
    phase: Phase,
    adverts: BTreeMap<Id, Advert>,
    /// Shares dealt to this member, its own among them: of the seed, of the mask.
    dealt: BTreeMap<Id, (Share, Share)>,
    included: BTreeSet<Id>,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} at {:?})", self.me, self.phase)
    }
}

impl Member {
    /// A member before the first phase. Its secrets come from the seed (32 random bytes, drawn for this session) and the
    /// session together.
    ///
    /// # Errors
    /// The session makes no sense, or the member is not in it under this key.
    pub fn new(session: Session, me: Id, key: SigningKey, seed: &[u8; 32]) -> Result<Self> {
        session.check()?;
        if session.members.get(&me) != Some(key.verifier()) {
            return Err(stranger(&me));
        }
        let digest = session.digest()?;
        let mut stream = Stream::new(derived(b"secrets", &digest, &[me.as_str().as_bytes(), seed]).bytes());
        let mut bytes = [0; 32];
        stream.fill(&mut bytes);
        Ok(Self {
            seal: StaticSecret::from(bytes),
            seed: Dealing::draw(session.threshold, &mut stream),
            mask: Dealing::draw(session.threshold, &mut stream),
            phase: Phase::Keys,
            adverts: BTreeMap::new(),
            dealt: BTreeMap::new(),
            included: BTreeSet::new(),
            session,
            digest,
            me,
            key,
        })
    }

    /// Phase 1: keys and commitments.
    ///
    /// # Errors
    /// Asked a second time.
    pub fn advert(&mut self) -> Result<Signed<Advert>> {
        self.turn(Phase::Keys)?;
        let advert = Advert {
            session: self.digest,
            from: self.me.clone(),
            seal_key: Blob(PublicKey::from(&self.seal).to_bytes().to_vec()),
            mask_key: Blob(PublicKey::from(&mask_secret(&self.digest, &self.me, &self.mask.secret())).to_bytes().to_vec()),
            seed: self.seed.commitments(),
            mask: self.mask.commitments(),
        };
        let signed = Signed::sign(&advert, &self.key)?;
        self.adverts.insert(self.me.clone(), advert);
        self.phase = Phase::Shares;
        Ok(signed)
    }

    /// Phase 2: a share of both secrets for every other member.
    ///
    /// # Errors
    /// A signature or commitment that does not fit, keys that occur twice, too few members, own keys changed.
    pub fn shares(&mut self, heard: &Adverts) -> Result<Shares> {
        self.turn(Phase::Shares)?;
        let adverts = opened_adverts(&self.session, &self.digest, &heard.0)?;
        if adverts.get(&self.me) != self.adverts.get(&self.me) {
            return Err(server("自分の鍵が変えられています", "it changed this member's own keys"));
        }
        if adverts.len() < self.session.needed() {
            return Err(too_few(adverts.len(), self.session.needed()));
        }
        let mut sealed = BTreeMap::new();
        for (to, advert) in adverts.iter().filter(|(to, _)| **to != self.me) {
            let (seed, mask) = self.dealt_to(to)?;
            let message = [seed.bytes(), mask.bytes()].concat();
            let cipher = self.cipher(&self.me, to, advert)?;
            let payload = Payload { msg: &message, aad: self.digest.bytes() };
            let blob = cipher
                .encrypt(&Nonce::default(), payload)
                .map_err(|_| blamed(to, "封緘できません", "nothing can be sealed to it"))?;
            sealed.insert(to.clone(), Blob(blob));
        }
        self.adverts = adverts;
        self.phase = Phase::Input;
        Ok(Shares { from: self.me.clone(), sealed })
    }

    /// Phase 3: the vector under its masks.
    ///
    /// # Errors
    /// Shares that cannot be opened or do not fit their commitments (the dealer is named), too few members, a vector of
    /// another length.
    pub fn masked(&mut self, inbox: &Inbox, input: &Input) -> Result<Masked> {
        self.turn(Phase::Input)?;
        if input.0.len() != self.session.encoding.limits.len() {
            return Err(blamed(&self.me, "ベクトルの長さが違います", "its vector has another length"));
        }
        let place = self.session.place(&self.me).ok_or_else(|| stranger(&self.me))?;
        let mut dealt = BTreeMap::from([(self.me.clone(), self.dealt_to(&self.me)?)]);
        for (from, blob) in inbox.sealed.iter().filter(|(from, _)| **from != self.me) {
            let advert = self.adverts.get(from).ok_or_else(|| stranger(from))?;
            let cipher = self.cipher(from, &self.me, advert)?;
            let opened = cipher.decrypt(&Nonce::default(), Payload { msg: &blob.0, aad: self.digest.bytes() });
            let pair = opened.ok().and_then(|bytes| {
                let (seed, mask) = bytes.split_first_chunk::<32>()?;
                Some((Share::read(*seed)?, Share::read(mask.try_into().ok()?)?))
            });
            match pair {
                Some((seed, mask)) if advert.seed.holds(place, seed) && advert.mask.holds(place, mask) => {
                    dealt.insert(from.clone(), (seed, mask));
                }
                _ => {
                    return Err(blamed(
                        from,
                        "配られたシェアが約束と合いません",
                        "the shares it dealt do not fit its commitments",
                    ));
                }
            }
        }
        if dealt.len() < self.session.needed() {
            return Err(too_few(dealt.len(), self.session.needed()));
        }
        let mut words: Vec<u64> = input.0.iter().map(|step| step.cast_unsigned()).collect();
        add(&mut words, &own_mask(&self.digest, &self.me, &self.seed.secret()), true);
        let secret = mask_secret(&self.digest, &self.me, &self.mask.secret());
        for (other, advert) in self.adverts.iter().filter(|(other, _)| **other != self.me && dealt.contains_key(*other)) {
            let key = pair_mask(&self.digest, &self.me, &secret, other, advert)?;
            add(&mut words, &key, self.me < *other);
        }
        self.dealt = dealt;
        self.phase = Phase::Consent;
        Ok(Masked { from: self.me.clone(), words: Blob(words.iter().flat_map(|w| w.to_le_bytes()).collect()) })
    }

    /// Phase 4: signs who is in. Only once: what is given in phase 5 rests on it.
    ///
    /// # Errors
    /// Too few are in, somebody that dealt no shares, or this member is not among them.
    pub fn consent(&mut self, heard: &Included) -> Result<Signed<Consent>> {
        self.turn(Phase::Consent)?;
        if let Some(who) = heard.0.iter().find(|who| !self.dealt.contains_key(*who)) {
            return Err(stranger(who));
        }
        if !heard.0.contains(&self.me) {
            return Err(server("この参加者を除いています", "it leaves this member out"));
        }
        if heard.0.len() < self.session.needed() {
            return Err(too_few(heard.0.len(), self.session.needed()));
        }
        let consent = Consent { session: self.digest, from: self.me.clone(), included: heard.0.clone() };
        let signed = Signed::sign(&consent, &self.key)?;
        self.included.clone_from(&heard.0);
        self.phase = Phase::Unmasking;
        Ok(signed)
    }

    /// Phase 5: for each other member one of its two shares, once enough have signed the same list.
    ///
    /// # Errors
    /// Fewer signatures than the threshold, or one on another list.
    pub fn unmask(&mut self, heard: &Consents) -> Result<Unmasking> {
        self.turn(Phase::Unmasking)?;
        let signed = opened_consents(&self.session, &self.digest, &heard.0, &self.included)?;
        if signed.len() < self.session.threshold {
            return Err(too_few(signed.len(), self.session.threshold));
        }
        let (mut seeds, mut masks) = (BTreeMap::new(), BTreeMap::new());
        for (of, (seed, mask)) in &self.dealt {
            if self.included.contains(of) {
                seeds.insert(of.clone(), *seed);
            } else {
                masks.insert(of.clone(), *mask);
            }
        }
        self.phase = Phase::Done;
        Ok(Unmasking { from: self.me.clone(), seeds, masks })
    }

    fn turn(&self, phase: Phase) -> Result<()> {
        if self.phase == phase { Ok(()) } else { Err(out_of_turn(self.phase)) }
    }

    fn dealt_to(&self, to: &Id) -> Result<(Share, Share)> {
        let place = self.session.place(to).ok_or_else(|| stranger(to))?;
        Ok((self.seed.share(place), self.mask.share(place)))
    }

    /// The cipher from one member to another, of which one is this. Its key serves one message, so its nonce is zero.
    fn cipher(&self, from: &Id, to: &Id, other: &Advert) -> Result<ChaCha20Poly1305> {
        let agreed = agreed(&self.seal, &other.seal_key, &other.from)?;
        let key = derived(b"seal", &self.digest, &[from.as_str().as_bytes(), to.as_str().as_bytes(), &agreed]);
        Ok(ChaCha20Poly1305::new(&Key::from(*key.bytes())))
    }
}

/// Adverts by member; keys that anybody else has too are refused.
fn opened_adverts(session: &Session, digest: &Digest, signed: &[Signed<Advert>]) -> Result<BTreeMap<Id, Advert>> {
    let mut adverts = BTreeMap::new();
    let mut keys = BTreeSet::new();
    for one in signed {
        let advert = one.open_of(session, digest)?;
        fresh_advert(session, &advert, &mut keys)?;
        let from = advert.from.clone();
        if adverts.insert(from.clone(), advert).is_some() {
            return Err(blamed(&from, "鍵が二度あります", "its keys are there twice"));
        }
    }
    Ok(adverts)
}

/// Lengths are right, and nobody has these keys yet.
pub(super) fn fresh_advert(session: &Session, advert: &Advert, keys: &mut BTreeSet<Blob>) -> Result<()> {
    let fits = advert.seed.fits(session.threshold) && advert.mask.fits(session.threshold);
    let lengths = advert.seal_key.0.len() == 32 && advert.mask_key.0.len() == 32;
    let fresh = advert.seal_key != advert.mask_key && !keys.contains(&advert.seal_key) && !keys.contains(&advert.mask_key);
    if !(fits && lengths && fresh) {
        let (ja, en) = ("鍵または約束が正しくないか、他者のものです", "its keys or commitments are malformed or another's");
        return Err(blamed(&advert.from, ja, en));
    }
    keys.insert(advert.seal_key.clone());
    keys.insert(advert.mask_key.clone());
    Ok(())
}

/// Who signed this list.
pub(super) fn opened_consents(
    session: &Session,
    digest: &Digest,
    signed: &[Signed<Consent>],
    included: &BTreeSet<Id>,
) -> Result<BTreeSet<Id>> {
    let mut consenting = BTreeSet::new();
    for one in signed {
        let consent = one.open_of(session, digest)?;
        if consent.included != *included {
            return Err(blamed(&consent.from, "別の一覧に署名しています", "it signed another list of members"));
        }
        if !included.contains(&consent.from) {
            return Err(stranger(&consent.from));
        }
        consenting.insert(consent.from);
    }
    Ok(consenting)
}

/// A key for one use in one session.
pub(super) fn derived(use_: &[u8], session: &Digest, parts: &[&[u8]]) -> Digest {
    let mut bytes = b"toji-commons aggregate v1 ".to_vec();
    for part in [use_, session.bytes()].iter().chain(parts) {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(*part);
    }
    Digest::of(&bytes)
}

/// The X25519 secret that follows from the shared one.
pub(super) fn mask_secret(session: &Digest, of: &Id, shared: &[u8; 32]) -> StaticSecret {
    StaticSecret::from(*derived(b"mask secret", session, &[of.as_str().as_bytes(), shared]).bytes())
}

/// The key of a member's own mask.
pub(super) fn own_mask(session: &Digest, of: &Id, seed: &[u8; 32]) -> [u8; 32] {
    *derived(b"own mask", session, &[of.as_str().as_bytes(), seed]).bytes()
}

/// The key of the mask of a pair, from the secret of one and the public key of the other.
pub(super) fn pair_mask(session: &Digest, of: &Id, secret: &StaticSecret, other: &Id, advert: &Advert) -> Result<[u8; 32]> {
    let agreed = agreed(secret, &advert.mask_key, other)?;
    let (first, second) = if of < other { (of, other) } else { (other, of) };
    Ok(*derived(b"pair mask", session, &[first.as_str().as_bytes(), second.as_str().as_bytes(), &agreed]).bytes())
}

fn agreed(secret: &StaticSecret, public: &Blob, whose: &Id) -> Result<[u8; 32]> {
    let shared = bytes_of::<32>(public).map(|public| secret.diffie_hellman(&PublicKey::from(public)));
    match shared {
        // A key of small order would make the mask known to everybody.
        Some(shared) if shared.was_contributory() => Ok(shared.to_bytes()),
        _ => Err(blamed(whose, "鍵が正しくありません", "its key is malformed")),
    }
}

/// Adds or takes away the words of a mask.
pub(super) fn add(words: &mut [u64], key: &[u8; 32], plus: bool) {
    let mut stream = Stream::new(key);
    for word in words {
        let mask = stream.word();
        *word = if plus { word.wrapping_add(mask) } else { word.wrapping_sub(mask) };
    }
}
