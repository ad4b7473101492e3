/** allowed, denied: by every reading · some: not all pairs of a segment's members agree, or not all ports · uncertain: nobody can say. */
export type Verdict = "allowed" | "denied" | "some" | "uncertain";
