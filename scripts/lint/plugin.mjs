/** The lint rules of this repository, for oxlint (`jsPlugins` in .oxlintrc.json). */
import { boundaries } from "./boundaries.mjs";
import { pureCore } from "./pure-core.mjs";

export default { meta: { name: "firebreak" }, rules: { boundaries, "pure-core": pureCore } };
