import type { Subject } from "../membership/subject.ts";
import { canonicalSelector, matches, selectorKeys } from "../selector/index.ts";
import type { LabelSelector, Labels } from "../selector/index.ts";

/** One posting: pods of this subject have what `id` stands for. */
interface Posting {
  readonly id: string;
  readonly subject: Subject;
}

/**
 * Which of many subjects a pod matches, without trying them all.
 *
 * Each subject is filed under the rarest label that it demands (`app=web` of the pod, or a label of the namespace); a pod is tried
 * against those filed under labels it has. Those that demand no label by value are tried for every pod.
 */
export class SubjectIndex {
  readonly #byPodLabel = new Map<string, Posting[]>();
  readonly #byNamespaceLabel = new Map<string, Posting[]>();
  readonly #always: Posting[] = [];
  /** Keys that any pod selector looks at: pods that agree on these, in one namespace, match the same. */
  readonly podKeys: ReadonlySet<string>;

  constructor(subjects: readonly (readonly [id: string, subject: Subject])[]) {
    const postings = subjects.map(([id, { pods, namespaces }]): Posting => {
      return { id, subject: { pods: canonicalSelector(pods), namespaces: canonicalSelector(namespaces) } };
    });
    const frequency = countTerms(postings);
    for (const posting of postings) this.#file(posting, frequency);
    this.podKeys = new Set(postings.flatMap(({ subject }) => selectorKeys(subject.pods)));
  }

  /** What the pod matches, each once. */
  match(labels: Labels, namespaceLabels: Labels): ReadonlySet<string> {
    const found = new Set<string>();
    const tryAll = (postings: readonly Posting[] | undefined): void => {
      for (const { id, subject } of postings ?? []) {
        if (!found.has(id) && matches(subject.namespaces, namespaceLabels) && matches(subject.pods, labels)) found.add(id);
      }
    };
    for (const [key, value] of Object.entries(labels)) tryAll(this.#byPodLabel.get(termOf(key, value)));
    for (const [key, value] of Object.entries(namespaceLabels)) tryAll(this.#byNamespaceLabel.get(termOf(key, value)));
    tryAll(this.#always);
    return found;
  }

  #file(posting: Posting, frequency: ReadonlyMap<string, number>): void {
    const { pods, namespaces } = posting.subject;
    const terms = [
      ...equalities(pods).map((term) => ({ map: this.#byPodLabel, term, weight: frequency.get(`pod ${term}`) ?? 0 })),
      ...equalities(namespaces).map((term) => ({
        map: this.#byNamespaceLabel,
        term,
        weight: frequency.get(`namespace ${term}`) ?? 0,
      })),
    ];
    const rarest = terms.reduce<(typeof terms)[number] | undefined>(
      (best, next) => (best === undefined || next.weight < best.weight ? next : best),
      undefined,
    );
    if (rarest === undefined) {
      this.#always.push(posting);
      return;
    }
    const filed = rarest.map.get(rarest.term);
    if (filed === undefined) rarest.map.set(rarest.term, [posting]);
    else filed.push(posting);
  }
}

function countTerms(postings: readonly Posting[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const add = (term: string): void => void counts.set(term, (counts.get(term) ?? 0) + 1);
  for (const { subject } of postings) {
    for (const term of equalities(subject.pods)) add(`pod ${term}`);
    for (const term of equalities(subject.namespaces)) add(`namespace ${term}`);
  }
  return counts;
}

function equalities(selector: LabelSelector): readonly string[] {
  return Object.entries(selector.matchLabels ?? {}).map(([key, value]) => termOf(key, value));
}

/** Neither a key nor a value of a label has a line end. */
function termOf(key: string, value: string): string {
  return `${key}\n${value}`;
}
