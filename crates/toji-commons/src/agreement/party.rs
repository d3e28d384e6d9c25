//! Organisations and the persons that act for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_core::{Id, Instant, Text};

/// How an organisation stands on end-user lists and the like, as last checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Listing {
    /// No hit.
    ///
    /// 該当なし。
    Clear,
    /// A hit or a change that the export-control officer has not settled.
    ///
    /// 確認中。
    Review,
    /// Settled: nothing may be given.
    ///
    /// 提供不可。
    Blocked,
}

/// A member, a former member, or an organisation that is only known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Identifier.
    pub id: Id,
    /// Country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Standing on lists.
    pub listing: Listing,
    /// Covered person of a rule on human-derived data (US 28 CFR 202).
    pub covered: bool,
    /// Member from; `None` for an organisation that is no member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Instant>,
    /// Member until before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Instant>,
}

impl Organisation {
    /// Is it a member at this time?
    #[must_use]
    pub fn is_member(&self, now: Instant) -> bool {
        self.joined.is_some_and(|from| from <= now) && self.left.is_none_or(|to| now < to)
    }
}

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the platform; neutral, sees no data.
    ///
    /// 基盤の運営者。中立で、データは見ない。
    Operator,
    /// Checks the logs; sees no data.
    ///
    /// 記録の監査人。データは見ない。
    Auditor,
    /// Keeps an organisation's data in order.
    ///
    /// 組織のデータの管理責任者。
    Steward,
    /// Decides what an organisation contributes.
    ///
    /// 組織が提供するものを決める提供管理者。
    ContributorAdmin,
    /// Works with data.
    ///
    /// データで研究する人。
    Scientist,
    /// Makes batches for others.
    ///
    /// 受託製造の担当。
    CdmoOperator,
    /// Answers for biosafety.
    ///
    /// バイオセーフティの責任者。
    BiosafetyOfficer,
    /// Reviews screening.
    ///
    /// スクリーニングの審査者。
    BiosecurityReviewer,
    /// Answers for export control.
    ///
    /// 輸出管理の責任者。
    ExportControlOfficer,
    /// A service that trains and computes; never shown rows.
    ///
    /// 学習・計算を行うサービス。行は見ない。
    AiService,
    /// May look at what is public.
    ///
    /// 公開データだけを見る人。
    Guest,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 11] = [
        Self::Operator,
        Self::Auditor,
        Self::Steward,
        Self::ContributorAdmin,
        Self::Scientist,
        Self::CdmoOperator,
        Self::BiosafetyOfficer,
        Self::BiosecurityReviewer,
        Self::ExportControlOfficer,
        Self::AiService,
        Self::Guest,
    ];

    /// How people call it.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::Operator => Text::new("基盤運営者", "Platform operator"),
            Self::Auditor => Text::new("監査人", "Auditor"),
            Self::Steward => Text::new("データ管理責任者", "Data steward"),
            Self::ContributorAdmin => Text::new("提供管理者", "Contributor administrator"),
            Self::Scientist => Text::new("研究者", "Scientist"),
            Self::CdmoOperator => Text::new("CDMO 製造担当", "CDMO operator"),
            Self::BiosafetyOfficer => Text::new("バイオセーフティ責任者", "Biosafety officer"),
            Self::BiosecurityReviewer => Text::new("バイオセキュリティ審査者", "Biosecurity reviewer"),
            Self::ExportControlOfficer => Text::new("輸出管理責任者", "Export-control officer"),
            Self::AiService => Text::new("AI サービス", "AI service"),
            Self::Guest => Text::new("ゲスト", "Guest"),
        }
    }
}

/// A person or a service, by pseudonym.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Pseudonym.
    pub id: Id,
    /// For whom they act.
    pub organisation: Id,
    /// Roles.
    pub roles: BTreeSet<Role>,
}
