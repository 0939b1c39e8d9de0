import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ReflectionKind } from "typedoc";

const STYLE = "body{font:13px/1.5 monospace;tab-size:2}a{color:#888;text-decoration:none}:target{background:#ff86}";

/**
 * A page for each source file that the reference names, so that "Defined in" leads to the line without a server or a network.
 *
 * @param {import("typedoc").ProjectReflection} project
 * @param {string} out the reference's folder
 */
export async function writeSourcePages(project, out) {
  const sources = project.getReflectionsByKind(ReflectionKind.All).flatMap((reflection) => reflection.sources ?? []);
  const files = new Map(sources.map(({ fileName, fullFileName }) => [fileName, fullFileName]));
  for (const [name, path] of files) {
    const page = join(out, "source", `${name}.html`);
    await mkdir(dirname(page), { recursive: true });
    await writeFile(page, sourcePage(name, await readFile(path, "utf8")));
  }
}

function sourcePage(name, text) {
  const lines = text.trimEnd().split("\n");
  const width = String(lines.length).length;
  const rows = lines.map((line, i) => {
    const number = String(i + 1);
    return `<span id="L${number}"><a href="#L${number}">${number.padStart(width)}</a>  ${escaped(line)}</span>`;
  });
  return `<!doctype html><meta charset="utf-8"><title>${name}</title><style>${STYLE}</style><pre>${rows.join("\n")}</pre>\n`;
}

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
