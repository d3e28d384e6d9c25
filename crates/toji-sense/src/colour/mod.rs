//! Colour from a photo: the card in the picture is the ruler.
//!
//! [`picture`] averages the patches, [`correction`] fits what the camera did to them, [`lab`] and
//! [`difference`] say what a colour is and how far two are apart. White is D65 throughout.

pub mod card;
pub mod correction;
pub mod difference;
pub mod lab;
mod measure;
pub mod picture;

pub use card::Card;
pub use correction::Correction;
pub use difference::delta_e_2000;
pub use lab::Lab;
pub use measure::{ERROR_MAX, Measured, measure};
pub use picture::{Corners, Picture, Region};
