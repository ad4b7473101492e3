/**
 * Words of strangers (names of objects, labels, field managers, commit subjects) on their way into somebody's chat, mail or forge:
 * shown, never obeyed. Each format has one function; what it returns cannot mention people, draw a link, close a fence or be markup.
 */

/** Longest text taken from a live object; the rest is cut, since names are written by strangers. */
export const MAX_FIELD = 300;

/** Control characters, line ends, and characters that are invisible or change the direction of text. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;

/** One line of at most that many characters. */
export function plain(text: string, longest: number = MAX_FIELD): string {
  const characters = Array.from(text.replaceAll(UNSEEN, " ").toWellFormed());
  return characters.length > longest ? `${characters.slice(0, longest - 1).join("")}…` : characters.join("");
}

/** Plain text where the receiver still finds mentions, references and tags in it: titles, subjects, chat without markup. */
export function mute(text: string, longest: number = MAX_FIELD): string {
  return plain(text, longest)
    .replaceAll("@", "＠")
    .replaceAll("#", "＃")
    .replaceAll("`", "'")
    .replaceAll("<", "‹")
    .replaceAll(">", "›");
}

/** Nothing that a reader's program turns into a link by itself. */
function unlinked(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*):\/\//gi, "$1:∕∕").replaceAll(/\bwww\./gi, "www․");
}

/** Muted for a chat that reads Markdown and finds links by itself: no brackets, links, emphasis, spoilers, escapes or emoji names. */
export function calm(text: string, longest: number = MAX_FIELD): string {
  return unlinked(mute(text, longest))
    .replaceAll("[", "⟦")
    .replaceAll("]", "⟧")
    .replaceAll("*", "∗")
    .replaceAll("~", "∼")
    .replaceAll("|", "¦")
    .replaceAll("\\", "⧵")
    .replaceAll("&", "＆")
    .replaceAll(/(?<![a-z0-9])_|_(?![a-z0-9])/gi, "＿") // inside a word it is only a character
    .replaceAll(/:(?=[a-z＿+][a-z0-9_＿+-]*:)/gi, "꞉");
}

/** A Markdown code span that its content cannot end: no backquotes, no pipes, one line, bounded, never empty. */
export function code(text: string, longest: number = MAX_FIELD): string {
  const content = plain(text, longest).replaceAll("`", "'").replaceAll("|", "¦").trim();
  return `\`${content === "" ? "(empty)" : content}\``;
}

/** A code span of Slack's mrkdwn: the three characters that it gives meaning to are escaped, as its documentation says. */
export function slackCode(text: string, longest: number = MAX_FIELD): string {
  return code(text, longest).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A line of a mail without markup: nothing that the reader's program makes a link of. */
export function mailText(text: string, longest: number = MAX_FIELD): string {
  return unlinked(plain(text, longest)).replaceAll("@", "＠");
}

/** Text inside an HTML element or a quoted attribute, without anything that the reader's program makes a link of. */
export function html(text: string, longest: number = MAX_FIELD): string {
  return mailText(text, longest)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
