import { expect, it } from "vitest";
import { marked } from "./marked";

it("marks the words of the query and nothing else", () => {
  expect(marked("Escherichia coli K-12", ["COLI"])).toEqual([
    { text: "Escherichia ", hit: false },
    { text: "coli", hit: true },
    { text: " K-12", hit: false },
  ]);
  expect(marked("(a+b)", ["a+b"])).toEqual([{ text: "(", hit: false }, { text: "a+b", hit: true }, { text: ")", hit: false }]);
  expect(marked("<b>麹</b>の香り", ["麹", ""])).toEqual([{ text: "麹", hit: true }, { text: "の香り", hit: false }]);
  expect(marked("<script>x</script>", ["y"])).toEqual([{ text: "<script>x</script>", hit: false }]);
});
