//! `commons sum…`: totals over members' own data by two aggregators that do not put their heads together.
//!
//! | step | who | what it hands on |
//! | --- | --- | --- |
//! | `sum` | a party of the agreement, in the house | the question: a document that everything after it is bound to |
//! | `sum-report` | each member, in its own store | a share for each aggregator, signed; each is handed to its own |
//! | `sum-open` | the house | what its shares say of the proofs, for the second aggregator |
//! | `sum-check` | the second aggregator, in its own store | what its shares say, and its half of the sum |
//! | `sum-total` | the house | the total, under the rule, or with the noise of both |
//!
//! **What each sees.** Rows never leave a member's store. Each aggregator sees shares that tell nothing by themselves,
//! whether each proof of range holds, and from the other only parts of the proofs and one half of the sum. Who is out of
//! range is refused by both and told. The two together could open everything.
//!
//! **What nobody can judge.** No summand is seen, so the shares of the largest (R2 to R6) cannot be. What holds instead:
//! at least as many members as R1 asks for, each counting once within bounds that were stated beforehand; an aggregator
//! answers a question once; and without noise the same is asked under an agreement at most every 90 days, so that no two
//! totals differ by one member. Counts are rounded down to fives, means to three digits. A member reports, or does not,
//! knowing the question.

mod aggregator;
mod message;
mod question;
mod report;
mod total;

use crate::operation::{Effect, Operation, Words};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons sum",
                label: ["二者による和の問い", "Ask for a sum by two"],
                about: [
                    "契約の会員に、各社の保存先にある培養の件数・平均・分布の和を問います。会員は値を二者（保存先の持ち主と、名指した第二の集計者）へ分けて渡し、どちらも一社の値を見ません。5者以上の報告が要ります。雑音なしの同じ問いは 90 日に一度までです。--epsilon か --rho を付けると、契約のプライバシー予算から払い、二者がそれぞれ雑音を加えます。",
                    "Asks the members under an agreement for the sum of counts, means or distributions of the runs in their own stores. Members split their figures between two aggregators, the house and a second one that is named, and neither sees what one member has. At least 5 must report; without noise the same is asked at most every 90 days. With --epsilon or --rho both aggregators add noise, paid from the privacy budget of the agreement.",
                ],
                positional: &["agreement", "measure"],
                example: "toji commons sum AG-1 failure-rate --second ORG-Z --of mean --low 0 --high 100 --unit %",
            },
            Effect::Write,
            question::ask,
        ),
        Operation::declare(
            Words {
                name: "commons sum-report",
                label: ["和への報告", "Report to a sum"],
                about: [
                    "会員自身の保存先で実行します。自社の培養から問いの値を求め、範囲の証明とともに二つのシェアに分け、署名します。一つずつ、それぞれの集計者に直接渡してください。両方を同じ者に渡すと値が分かります。",
                    "Run in a member's own store: works the figures of the question out from its own runs, splits them into two shares with a proof that they are within range, and signs both. Hand each to its own aggregator; who has both reads the figures.",
                ],
                positional: &["question"],
                example: "toji commons sum-report \"$(cat question.json)\" --key-file org-a.key --json",
            },
            Effect::Read,
            report::report,
        )
        .long(),
        Operation::declare(
            Words {
                name: "commons sum-open",
                label: ["報告の開封", "Open the reports of a sum"],
                about: [
                    "保存先の持ち主が、自分あてのシェアを集め、範囲の証明について自分の側から言えることを第二の集計者に渡します。署名が合わない報告は除き、理由を示します。一つの問いに一度だけです。",
                    "The house gathers the shares it was handed and tells the second aggregator what they say of the proofs. Reports whose signature does not hold are left out, with the reason. Once for a question.",
                ],
                positional: &["sum"],
                example: "toji commons sum-open SUM --reports @a.first --reports @b.first --key-file home.key",
            },
            Effect::Write,
            aggregator::open,
        )
        .long(),
        Operation::declare(
            Words {
                name: "commons sum-check",
                label: ["和の検査（第二の集計者）", "Check a sum (second aggregator)"],
                about: [
                    "第二の集計者が自分の保存先で実行します。自分あてのシェアと持ち主の言い分から範囲の証明を検査し、成り立たない報告を除いて、和の半分を渡します。一つの問いには一度しか答えず、5者に満たないときや、同じ和を 90 日以内に答えたときは断ります。",
                    "Run by the second aggregator in its own store: checks the proofs of range from its shares and what the house says, leaves out reports that fail, and gives its half of the sum. It answers a question once, and refuses when fewer than 5 are left or the same was answered within 90 days.",
                ],
                positional: &["question"],
                example: "toji commons sum-check @question.json --reports @a.second --opened @opened.txt --key-file z.key",
            },
            Effect::Write,
            aggregator::check,
        )
        .long(),
        Operation::declare(
            Words {
                name: "commons sum-total",
                label: ["和の公表", "Total of a sum by two"],
                about: [
                    "保存先の持ち主が、第二の集計者の答えから範囲の証明を同じように検査し、和だけを求めて公表します。除いた報告と理由を示します。もう一度実行すると同じ答えを返します。",
                    "The house checks the same proofs from the answer of the second aggregator, adds the halves and releases the total and nothing else, with the reports left out and why. Run again it answers the same.",
                ],
                positional: &["sum"],
                example: "toji commons sum-total SUM --answer \"$(cat answer.txt)\"",
            },
            Effect::Write,
            total::total,
        )
        .long(),
    ]
}
