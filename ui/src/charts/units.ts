// UCUM codes in the form a person reads. Only the look changes, never the meaning.

const WHOLE: Record<string, string> = {
  "1": "",
  By: "B",
  "[pH]": "pH",
  Cel: "°C",
  "[degF]": "°F",
  "%{sat}": "% sat",
  "{rpm}": "rpm",
  "/min{rpm}": "rpm",
  "{rev}/min": "rpm",
  "[CFU]": "CFU",
};

const SUPER: Record<string, string> = { "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹" };

function raised(digits: string): string {
  return [...digits].map((digit) => SUPER[digit] ?? digit).join("");
}

function atom(code: string): string {
  const power = /^10[*^](-?\d+)$/.exec(code);
  if (power) return `10${raised(power[1] ?? "")}`;
  if (code === "Cel") return "°C";
  if (code === "deg") return "°";
  if (code === "[IU]" || code === "[iU]") return "IU";
  if (code === "[pH]") return "pH";
  const micro = /^u(g|L|l|m|mol|M|s|A|W|kat|S)(-?\d?)$/.exec(code);
  if (micro) return `µ${micro[1]}${raised(micro[2] ?? "")}`;
  const exponent = /^([A-Za-zµ]+)(-?\d)$/.exec(code);
  if (exponent) return `${exponent[1]}${raised(exponent[2] ?? "")}`;
  return code;
}

export function unitText(ucum: string | null | undefined): string {
  if (!ucum) return "";
  const whole = WHOLE[ucum];
  if (whole !== undefined) return whole;
  const notes: string[] = [];
  const bare = ucum.replaceAll(/\{([^}]*)\}/g, (_all, note: string) => {
    notes.push(note.replaceAll("_", " "));
    return "";
  });
  const parts = bare.split(/([./])/).map((part) => (part === "." ? "·" : part === "/" ? "/" : atom(part)));
  const text = parts.join("").replace(/^1\//, "/");
  return [text === "1" ? "" : text, ...notes].filter((part) => part !== "").join(" ");
}
