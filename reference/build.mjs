/**
 * The API reference of all packages, made of their docstrings: `npm run docs` writes it to out/api, `--check` writes nothing. Fails where an
 * export of core has no docstring, a `{@link}` leads nowhere, or a `@param` names no parameter.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Application, Converter, DefaultTheme, MinimalSourceFile, ReflectionKind, TypeDocReader } from "typedoc";
import ts from "typescript";
import { writeSourcePages } from "./source-pages.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

/** Names that entry points are imported by, of their source files. */
function entryPointNames() {
  const folders = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
  return new Map(
    folders.flatMap((folder) => {
      const { name, exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      return Object.entries(exports).map(([path, to]) => [join(folder, to["@omni/source"]), name + path.slice(1)]);
    }),
  );
}

/** Names a module as it is imported, and puts the README beside it, or that of its package, in front. */
function presentModule(module, { project, converter }, names) {
  const file = module.sources?.[0]?.fullFileName ?? "";
  module.name = names.get(resolve(file)) ?? module.name;
  const readme = [dirname(file), dirname(dirname(file))]
    .slice(0, module.name.split("/").length === 2 ? 2 : 1)
    .map((folder) => join(folder, "README.md"))
    .find(existsSync);
  if (readme === undefined) return;
  const text = readFileSync(readme, "utf8").replace(/^# .*\n/, "");
  const { content } = converter.parseRawComment(new MinimalSourceFile(text, readme), project.files);
  module.readme = content;
  project.files.registerReflectionPath(readme, module);
  project.files.registerReflectionPath(dirname(readme), module);
}

/** A destructured parameter has no name: it gets that of its `@param`, or `options`, and shows the defaults of its fields. */
function presentDestructured(parameter, context) {
  const pattern = context.getSymbolFromReflection(parameter)?.valueDeclaration?.name;
  if (pattern === undefined) return;
  const { comment, parameters } = parameter.parent;
  const isSpare = ({ tag, name }) =>
    tag === "@param" && name && !name.includes(".") && !parameters.some((p) => p.name === name);
  const unnamed = ts.isObjectBindingPattern(pattern) ? "options" : pattern.getText();
  parameter.name = comment?.blockTags.find(isSpare)?.name ?? unnamed;
  if (parameter.defaultValue !== "{}") return;
  const defaults = pattern.elements.flatMap(({ propertyName, name, initializer }) =>
    initializer ? [`${(propertyName ?? name).getText()}: ${initializer.getText()}`] : [],
  );
  if (defaults.length > 0) parameter.defaultValue = `{ ${defaults.join(", ")} }`;
}

/** The documents and modules themselves at the navigation's first level, not the groups that they make. */
class ReferenceTheme extends DefaultTheme {
  buildNavigation(project) {
    return super.buildNavigation(project).flatMap(({ children }) => children ?? []);
  }
}

const names = entryPointNames();
const app = await Application.bootstrap(
  { options: join(here, "typedoc.json"), entryPoints: [...names.keys()], theme: "reference" },
  [new TypeDocReader()],
);
app.renderer.defineTheme("reference", ReferenceTheme);
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
  const { project } = context;
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) presentModule(module, context, names);
  for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter))
    if (parameter.name === "__namedParameters") presentDestructured(parameter, context);
});

const project = await app.convert();
if (project) app.validate(project);
const isSound = project && !app.logger.hasErrors() && !app.logger.hasWarnings();
if (project && !process.argv.includes("--check")) {
  await app.generateOutputs(project);
  const out = app.options.getValue("out");
  await writeSourcePages(project, out);
  console.log(`API reference: ${join(out, "index.html")}`);
}
process.exitCode = isSound && !app.logger.hasErrors() ? 0 : 1;
