import { staleWords } from "../intent/target.ts";
import type { End, Source } from "../reach/source.ts";

/**
 * The same source, without the doubt that a target is not seen whole: what is known of its workloads counts. That there may be more of them is
 * then another question, which whoever asks must ask as well.
 */
export function asSeen(source: Source): Source {
  const doubts = new Set(staleWords(source.estate).values());
  if (doubts.size === 0) return source;
  const settled = (end: End): End => {
    const uncertain = end.uncertain.filter((text) => !doubts.has(text));
    return uncertain.length === end.uncertain.length ? end : { ...end, uncertain };
  };
  return {
    kind: source.kind,
    estate: source.estate,
    borders: source.borders,
    keyOf: (workload) => source.keyOf(workload),
    endKey: (direction, workload) => source.endKey(direction, workload),
    end: (direction, subject, peer) => settled(source.end(direction, subject, peer)),
    explain: (direction, subject, peer, protocol, port) => source.explain(direction, subject, peer, protocol, port),
    ...(source.namedAt && { namedAt: (direction, subject, peers) => source.namedAt?.(direction, subject, peers) }),
    ...(source.segmentsOf && { segmentsOf: (party) => source.segmentsOf?.(party) ?? [] }),
    ...(source.classNumbers && { classNumbers: source.classNumbers }),
  };
}
