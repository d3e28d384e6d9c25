// "Copy as Python": a snippet that asks the same question over HTTP with the
// standard library alone.

function pythonText(value: unknown): string {
  return JSON.stringify(value, null, 4)
    .replaceAll(/(?<=[\s:[,])true(?=[,\n\]}]|$)/g, "True")
    .replaceAll(/(?<=[\s:[,])false(?=[,\n\]}]|$)/g, "False")
    .replaceAll(/(?<=[\s:[,])null(?=[,\n\]}]|$)/g, "None");
}

/** `path` is that of the operation; `use` is what to do with `answer`. */
export function pythonSnippet(origin: string, path: string, body: Record<string, unknown>, use: string): string {
  return `import json
import urllib.request

question = ${pythonText(body)}
request = urllib.request.Request(
    "${origin}${path}",
    data=json.dumps(question).encode(),
    headers={"Content-Type": "application/json"},
)
with urllib.request.urlopen(request) as reply:
    answer = json.load(reply)

${use}
`;
}
