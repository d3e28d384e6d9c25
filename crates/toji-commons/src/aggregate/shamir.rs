//! Shamir's shares of a secret, with Feldman's commitments by which every share can be checked.

use super::message::{Blob, bytes_of};
use crate::privacy::{Bytes, Stream};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The value of the polynomial at a member's place: a number of the prime field, little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Blob", into = "Blob")]
pub struct Share(Scalar);

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share")
    }
}

impl From<Share> for Blob {
    fn from(share: Share) -> Self {
        Self(share.0.to_bytes().to_vec())
    }
}

impl TryFrom<Blob> for Share {
    type Error = &'static str;
    fn try_from(blob: Blob) -> Result<Self, Self::Error> {
        bytes_of(&blob).and_then(Self::read).ok_or("not a share")
    }
}

impl Share {
    /// From 32 bytes, the least representation only.
    pub(super) fn read(bytes: [u8; 32]) -> Option<Self> {
        Option::from(Scalar::from_canonical_bytes(bytes)).map(Self)
    }

    pub(super) fn bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The same with something added: what a liar would return.
    #[must_use]
    pub fn bent(self, by: u64) -> Self {
        Self(self.0 + Scalar::from(by))
    }
}

/// Multiples of the base point by the coefficients of a polynomial (Ristretto, 32 bytes each), the secret's first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitments(Vec<Blob>);

/// Commitments as points, read once.
#[derive(Debug, Clone)]
pub(super) struct Points(Vec<RistrettoPoint>);

impl Commitments {
    /// As many as the threshold?
    pub(super) fn fits(&self, threshold: usize) -> bool {
        self.0.len() == threshold
    }

    /// Reads them; none where one is no point.
    pub(super) fn points(&self) -> Option<Points> {
        self.0.iter().map(|blob| CompressedRistretto(bytes_of(blob)?).decompress()).collect::<Option<_>>().map(Points)
    }

    /// Is this the share at a place?
    #[must_use]
    pub fn holds(&self, place: u64, share: Share) -> bool {
        self.points().is_some_and(|points| points.holds(place, share))
    }
}

impl Points {
    /// Is this the share at a place? The sum of the points times the powers of the place, by Horner's scheme.
    pub(super) fn holds(&self, place: u64, share: Share) -> bool {
        let sum = self.0.iter().rev().fold(RistrettoPoint::identity(), |sum, point| times(sum, place) + point);
        RistrettoPoint::mul_base(&share.0) == sum
    }

    /// Is this the secret?
    pub(super) fn hold_secret(&self, secret: &[u8; 32]) -> bool {
        Share::read(*secret).is_some_and(|secret| self.holds(0, secret))
    }
}

/// A small multiple of a point. The multiple is public.
fn times(point: RistrettoPoint, by: u64) -> RistrettoPoint {
    let mut sum = RistrettoPoint::identity();
    for bit in (0..u64::BITS - by.leading_zeros()).rev() {
        sum += sum;
        if by >> bit & 1 == 1 {
            sum += point;
        }
    }
    sum
}

/// A random secret and the polynomial that shares it.
pub struct Dealing(Vec<Scalar>);

impl fmt::Debug for Dealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dealing({})", self.0.len())
    }
}

impl Dealing {
    /// Draws a secret that any `threshold` shares tell, and fewer say nothing of.
    #[must_use]
    pub fn draw(threshold: usize, stream: &mut Stream) -> Self {
        let mut wide = [0; 64];
        let coefficient = |_| {
            stream.fill(&mut wide);
            Scalar::from_bytes_mod_order_wide(&wide)
        };
        Self((0..threshold.max(1)).map(coefficient).collect())
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        self.0.first().map_or([0; 32], Scalar::to_bytes)
    }

    /// The share at a place, from 1.
    #[must_use]
    pub fn share(&self, place: u64) -> Share {
        Share(self.0.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(place) + c))
    }

    /// What everybody may know.
    #[must_use]
    pub fn commitments(&self) -> Commitments {
        Commitments(self.0.iter().map(|c| Blob(RistrettoPoint::mul_base(c).compress().to_bytes().to_vec())).collect())
    }
}

/// The secret that shares at distinct places tell, by Lagrange's formula; as many as the threshold are needed.
#[must_use]
pub fn recover(shares: &[(u64, Share)]) -> [u8; 32] {
    let mut secret = Scalar::ZERO;
    for (place, share) in shares {
        let (mut over, mut under) = (Scalar::ONE, Scalar::ONE);
        for (other, _) in shares.iter().filter(|(other, _)| other != place) {
            over *= Scalar::from(*other);
            under *= Scalar::from(*other) - Scalar::from(*place);
        }
        secret += share.0 * over * under.invert();
    }
    secret.to_bytes()
}
