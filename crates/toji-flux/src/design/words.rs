//! What speaks for and against a design, in words.

use super::strain::{Screening, Strain};
use super::verify::{Tie, Verified, coupled};
use toji_core::Text;

/// The evidence of a verified design, most weighty first.
pub(super) fn evidence(strain: &Strain, v: &Verified) -> Vec<Text> {
    let mut list = Vec::new();
    let mut say = |ja: String, en: String| list.push(Text::new(ja, en));
    let Some(best) = v.best else {
        say("この株では定常状態がありません。".into(), "This strain has no steady state.".into());
        return list;
    };
    say(
        format!(
            "最大増殖 {:.4} 1/h(宿主 {:.4})で、生成物は {:.4}~{:.4} mmol/g/h です。",
            best.growth, v.host.growth, best.min, best.max
        ),
        format!(
            "At best growth {:.4} 1/h (host {:.4}) the product is {:.4} to {:.4} mmol/g/h.",
            best.growth, v.host.growth, best.min, best.max
        ),
    );
    let (ja, en) = match v.tie {
        Tie::None => ("最大増殖でも生成物を要しません。", "Even the best growth needs no product."),
        Tie::Weak => (
            "最大増殖では生成物を要しますが、遅い増殖では要しません。",
            "The best growth needs product; slower growth may do without.",
        ),
        Tie::Holistic => ("どの増殖でも生成物を要します。", "All growth needs product."),
        Tie::Strong => ("増殖がなくても生成物ができます。", "Product is made even without growth."),
    };
    say(format!("{ja}結合の強さ {:.2}。", v.strength), format!("{en} Strength of coupling {:.2}.", v.strength));
    if let Some(moles) = v.yields.moles {
        let (carbon, mass) = (number(v.yields.carbon), number(v.yields.mass));
        say(
            format!("収率 {moles:.3} mol/mol、{carbon} C-mol/C-mol、{mass} g/g。"),
            format!("Yield {moles:.3} mol/mol, {carbon} C-mol/C-mol, {mass} g/g."),
        );
    }
    if let Some(o) = v.oxygen {
        let (ja, en) = if o.need <= o.limit { ("足ります", "suffices") } else { ("足りません", "does not suffice") };
        say(
            format!(
                "酸素は {:.2} mmol/g/h を要し、槽の供給 {:.2} で{ja}。供給に合わせると増殖 {:.4}、生成物 {:.4}。",
                o.need, o.limit, o.growth, o.product
            ),
            format!(
                "It needs {:.2} mmol/g/h of oxygen; the vessel's {:.2} {en}. Held to it: growth {:.4}, product {:.4}.",
                o.need, o.limit, o.growth, o.product
            ),
        );
    }
    if let Some(r) = v.robustness {
        let percent = 100.0 * r.share;
        say(
            format!("擾乱 {} 回のうち {percent:.0} % で結合が保たれます。", r.samples),
            format!("The coupling holds in {percent:.0} % of {} disturbed copies.", r.samples),
        );
    }
    if let Some(b) = v.batch {
        say(
            format!("回分培養 {:.2} h で {:.2} mmol/L({:.3} mmol/L/h)。", b.hours, b.titre, b.productivity),
            format!("A batch gives {:.2} mmol/L in {:.2} h ({:.3} mmol/L/h).", b.titre, b.hours, b.productivity),
        );
    }
    say(format!("変更 {} 件、遺伝子 {} 個。", strain.edits(), v.genes), format!("{} edits, {} genes.", strain.edits(), v.genes));
    for e in &v.edits {
        if e.genes.is_empty() {
            say(format!("{}:止める遺伝子が分かりません。", e.target), format!("{}: no gene is known to stop it.", e.target));
        }
        if coupled(v.best) && e.without.product >= best.min - 1e-6 {
            say(
                format!("{} がなくても生成物は減りません({:.4})。", e.target, e.without.product),
                format!("Without {} the product is no less ({:.4}).", e.target, e.without.product),
            );
        }
        if !e.neighbours.is_empty() {
            let names = e.neighbours.join(", ");
            say(
                format!("{} の隣に必須遺伝子 {names} があります。", e.target),
                format!("Essential {names} lies next to {}.", e.target),
            );
        }
    }
    match &v.screening {
        Screening::NothingAdded => say(
            "加える配列がないため、バイオセキュリティの照合対象はありません。".into(),
            "No sequence is added, so there is nothing to screen.".into(),
        ),
        Screening::Pending { sequences } => {
            let names = sequences.join(", ");
            say(format!("配列の照合がまだです:{names}。"), format!("Not screened yet: {names}."));
        }
    }
    list
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |v| format!("{v:.3}"))
}
