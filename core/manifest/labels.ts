import type { Labels } from "../selector/index.ts";
import type { Checker } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";

const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"];

/** RFC 1123 label: names of namespaces and services. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

/** RFC 1123 subdomain: names of most objects. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && SUBDOMAIN.test(text);
}

/** IANA service name: names of ports. */
export function isPortName(text: string): boolean {
  return text.length <= 15 && LABEL.test(text) && /[a-z]/.test(text) && !text.includes("--");
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  const name = key.slice(slash + 1);
  return (slash < 0 || isDnsSubdomain(key.slice(0, slash))) && name.length <= 63 && NAME.test(name);
}

function isLabelValue(value: string): boolean {
  return value === "" || (value.length <= 63 && NAME.test(value));
}

/** Labels of an object; null values are empty texts, as the API server reads them. */
export function readLabels(check: Checker, value: unknown, path: Path): Labels {
  const labels: [string, string][] = [];
  for (const [key, label] of Object.entries(check.record(value, path) ?? {})) {
    const at = [...path, key];
    checkKey(check, key, at);
    const text = label === null ? "" : check.text(label, at);
    if (text !== undefined && !isLabelValue(text)) check.error(at, "invalid-label", `: ${show(text)} is not a label value`);
    labels.push([key, text ?? ""]);
  }
  return Object.fromEntries(labels);
}

function checkKey(check: Checker, key: string, at: Path): void {
  if (!isLabelKey(key)) check.error(at, "invalid-label", `: ${show(key)} is not a label key`);
}

/** A LabelSelector by the rules of the API server; absent is fine here. */
export function checkSelector(check: Checker, value: unknown, path: Path): void {
  const selector = check.record(value, path);
  if (selector === undefined) return;
  check.onlyKeys(selector, ["matchLabels", "matchExpressions"], path);
  readLabels(check, selector["matchLabels"], [...path, "matchLabels"]);
  for (const [index, item] of check.list(selector["matchExpressions"], [...path, "matchExpressions"]).entries()) {
    checkRequirement(check, item, [...path, "matchExpressions", index]);
  }
}

function checkRequirement(check: Checker, value: unknown, path: Path): void {
  const requirement = check.record(value, path);
  if (requirement === undefined) return check.error(path, "missing-field", " is empty");
  check.onlyKeys(requirement, ["key", "operator", "values"], path);
  const key = check.text(requirement["key"], [...path, "key"]);
  if (key === undefined) check.error([...path, "key"], "missing-field", " is missing");
  else checkKey(check, key, [...path, "key"]);
  const operator = requirement["operator"];
  const values = check.list(requirement["values"], [...path, "values"]);
  for (const [index, item] of values.entries()) {
    const text = check.text(item, [...path, "values", index]);
    if (text !== undefined && !isLabelValue(text)) {
      check.error([...path, "values", index], "invalid-label", `: ${show(text)} is not a label value`);
    }
  }
  if (typeof operator !== "string" || !OPERATORS.includes(operator)) {
    return check.error(
      [...path, "operator"],
      "invalid-selector",
      ` must be one of ${OPERATORS.join(", ")}, and is ${show(operator)}`,
    );
  }
  const wantsValues = operator === "In" || operator === "NotIn";
  if (wantsValues && values.length === 0)
    check.error([...path, "values"], "invalid-selector", ` must not be empty with ${operator}`);
  if (!wantsValues && values.length > 0) check.error([...path, "values"], "invalid-selector", ` must be absent with ${operator}`);
}
