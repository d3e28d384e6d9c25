//! The clauses with their words, and the decision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Id, Instant, Place, Text};

/// What decided. The order is that in which agreements come further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clause {
    /// No: the time lies before the last signed checkpoint.
    ClockSetBack,
    /// No: not known.
    Unknown,
    /// No: human-derived data and a covered person.
    CoveredPerson,
    /// Yes: public.
    Open,
    /// No: the asker is not known.
    NoAccount,
    /// No: operators and auditors see no data.
    SeparationOfDuties,
    /// No: not a matter of these roles.
    Role,
    /// Yes: own data.
    Own,
    /// No: only one's own data may be written.
    WriteOwnOnly,
    /// No: blocked by a list.
    Listed,
    /// No, for now: a list hit is being reviewed.
    ListingReview,
    /// No: clean room.
    CleanRoom,
    /// No: cooperative data does not leave the platform.
    NeverExported,
    /// No: no member.
    Membership,
    /// No: feedback is overdue.
    FeedbackOverdue,
    /// Yes: members see the catalogue.
    Catalogue,
    /// No: no agreement covers it.
    NoAgreement,
    /// No: not in force.
    NotInForce,
    /// No: not for this country.
    Territory,
    /// No: not granted.
    NotGranted,
    /// No: not for this purpose.
    Purpose,
    /// No: under embargo.
    Embargo,
    /// Yes: an agreement permits it.
    Agreement,
}

impl Clause {
    /// Does the clause say yes?
    #[must_use]
    pub fn allows(self) -> bool {
        matches!(self, Self::Open | Self::Own | Self::Catalogue | Self::Agreement)
    }

    /// Why.
    #[must_use]
    pub fn reason(self) -> Text {
        match self {
            Self::ClockSetBack => {
                Text::new("時刻が最後の署名済みチェックポイントより前です", "the time lies before the last signed checkpoint")
            }
            Self::Unknown => {
                Text::new("データセットがないか、見ることができません", "there is no such data set, or it is not yours to see")
            }
            Self::CoveredPerson => Text::new(
                "ヒト由来データは対象者(covered person)に提供できません",
                "human-derived data is not given to covered persons",
            ),
            Self::Open => Text::new("公開領域", "public"),
            Self::NoAccount => Text::new("公開領域以外は利用者登録が必要です", "beyond what is public an account is needed"),
            Self::SeparationOfDuties => Text::new(
                "運営者・監査人はデータを見ません(職務分離)",
                "operators and auditors see no data (separation of duties)",
            ),
            Self::Role => Text::new("この役割ではできない操作です", "not a matter of your roles"),
            Self::Own => Text::new("自社のデータ", "your organisation's own data"),
            Self::WriteOwnOnly => Text::new("他社のデータは訂正できません", "another organisation's data is not yours to change"),
            Self::Listed => {
                Text::new("輸出管理等のリストにより提供できません", "a list of export control or the like forbids it")
            }
            Self::ListingReview => Text::new("リスト該当の確認が済むまで保留です", "on hold until a list hit is reviewed"),
            Self::CleanRoom => {
                Text::new("クリーンルームのデータは計算だけができます", "data in a clean room can only be computed upon")
            }
            Self::NeverExported => {
                Text::new("協調領域のデータは基盤の外へ持ち出せません", "cooperative data does not leave the platform")
            }
            Self::Membership => Text::new("会員ではありません", "your organisation is no member"),
            Self::FeedbackOverdue => Text::new("還元義務の期限が過ぎています", "feedback that you owe is overdue"),
            Self::Catalogue => {
                Text::new("会員は協調領域の目録を閲覧できます", "members see the catalogue of the cooperative area")
            }
            Self::NoAgreement => Text::new("このデータセットの契約がありません", "no agreement covers the data set"),
            Self::NotInForce => Text::new("契約の期間外です", "the agreement is not in force"),
            Self::Territory => Text::new("契約の対象国ではありません", "the agreement does not reach your country"),
            Self::NotGranted => Text::new("契約で許諾されていない操作です", "the agreement does not grant it"),
            Self::Purpose => Text::new("契約の目的に含まれません", "the agreement is not for this purpose"),
            Self::Embargo => Text::new("公開猶予(エンバーゴ)の期間中です", "under embargo"),
            Self::Agreement => Text::new("契約により許諾", "permitted by agreement"),
        }
    }

    /// What the asker can do about a no.
    #[must_use]
    pub fn remedy(self) -> Text {
        match self {
            Self::ClockSetBack => Text::new("サーバーの時計を合わせてください", "set the clock of the server"),
            Self::Unknown => Text::new("識別子を確かめてください", "check the identifier"),
            Self::CoveredPerson | Self::Listed | Self::ListingReview => {
                Text::new("輸出管理責任者に照会してください", "ask the export-control officer")
            }
            Self::NoAccount => Text::new("ログインしてください", "log in"),
            Self::SeparationOfDuties | Self::Role => {
                Text::new("自社の提供管理者に役割の変更を申請してください", "ask your contributor administrator for another role")
            }
            Self::WriteOwnOnly => Text::new("所有者に訂正を依頼してください", "ask the owner to correct it"),
            Self::CleanRoom => Text::new("計算の申請をしてください", "ask for a computation instead"),
            Self::NeverExported => Text::new("基盤の中で解析してください", "analyse it inside the platform"),
            Self::Membership => Text::new("入会の手続きをしてください", "apply for membership"),
            Self::FeedbackOverdue => {
                Text::new("還元を提出するか、異議を申し立ててください", "hand in the feedback, or dispute the duty")
            }
            Self::NoAgreement | Self::NotInForce | Self::Territory | Self::NotGranted | Self::Purpose => {
                Text::new("所有者と契約を結ぶか、変更してください", "make an agreement with the owner, or change it")
            }
            Self::Embargo => {
                Text::new("公開猶予の終わりを待つか、早期利用を申請してください", "wait for its end, or apply for early access")
            }
            Self::Open | Self::Own | Self::Catalogue | Self::Agreement => Text::new("対処は要りません", "nothing is needed"),
        }
    }
}

/// What comes with a yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "obligation", rename_all = "kebab-case")]
pub enum Obligation {
    /// Feedback is owed.
    Feedback {
        /// Units for the data set.
        units: u32,
        /// By when.
        due: Instant,
    },
    /// The owner is told of a patent application.
    PatentNotice {
        /// Within so many days after it.
        within_days: u32,
    },
    /// No patent may rest on the data.
    NoPatent,
    /// Use ends with the term.
    UseEnds {
        /// When.
        at: Instant,
    },
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What decided.
    pub clause: Clause,
    /// The agreement that permitted, or that came furthest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Id>,
    /// What comes with a yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Obligation>,
}

impl Decision {
    /// A decision that needs no agreement.
    pub(super) fn by(clause: Clause) -> Self {
        Self { clause, agreement: None, obligations: Vec::new() }
    }

    /// Yes or no.
    #[must_use]
    pub fn allow(&self) -> bool {
        self.clause.allows()
    }

    /// Why, naming the agreement.
    #[must_use]
    pub fn reason(&self) -> Text {
        let reason = self.clause.reason();
        match &self.agreement {
            Some(id) => Text::new(format!("{}(契約 {id})", reason.ja), format!("{} (agreement {id})", reason.en)),
            None => reason,
        }
    }

    /// The decision as an error with place and remedy, when it is a no.
    ///
    /// # Errors
    /// The decision is no.
    pub fn demand(&self) -> toji_core::Result<()> {
        if self.allow() {
            return Ok(());
        }
        let (reason, remedy) = (self.reason(), self.clause.remedy());
        Err(Error::new(Category::Denied, "E-ACCESS-101", reason.ja, reason.en)
            .at(Place::field("access"))
            .hint(remedy.ja, remedy.en))
    }
}
