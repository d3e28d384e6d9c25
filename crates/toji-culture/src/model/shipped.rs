//! Models that ship, each of a publication.

/// Identifier and file of each.
pub const SHIPPED: [(&str, &str); 13] = [
    ("cho-mab-fed-batch", include_str!("../../models/cho-mab-fed-batch.toml")),
    ("cho-mab-perfusion", include_str!("../../models/cho-mab-perfusion.toml")),
    ("monod-chemostat", include_str!("../../models/monod-chemostat.toml")),
    ("monod-fed-batch", include_str!("../../models/monod-fed-batch.toml")),
    ("park-ramirez-1988", include_str!("../../models/park-ramirez-1988.toml")),
    ("chen-hwang-1990", include_str!("../../models/chen-hwang-1990.toml")),
    ("srinivasan-2003", include_str!("../../models/srinivasan-2003.toml")),
    ("luedeking-piret-fed-batch", include_str!("../../models/luedeking-piret-fed-batch.toml")),
    ("anane-2017", include_str!("../../models/anane-2017.toml")),
    ("bajpai-reuss-1980", include_str!("../../models/bajpai-reuss-1980.toml")),
    ("birol-2002", include_str!("../../models/birol-2002.toml")),
    ("knallgas-phb", include_str!("../../models/knallgas-phb.toml")),
    ("sake-moromi", include_str!("../../models/sake-moromi.toml")),
];

/// The file of a shipped model.
#[must_use]
pub fn shipped(id: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(name, _)| *name == id).map(|(_, text)| *text)
}
