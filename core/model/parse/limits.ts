/** Bounds on input: generous for people, tight enough that no revision can exhaust the service that reads it. */
export const LIMITS = {
  /** Bytes of one file. */
  fileBytes: 1024 * 1024,
  /** Definition files in one revision. */
  files: 5_000,
  /** Bytes of all definition files together: about 200,000 rules; reading takes up to 2 s for each MiB of the worst text. */
  totalBytes: 16 * 1024 * 1024,
  /** Definitions in one revision. */
  documents: 20_000,
  /** Lists and mappings inside one another. */
  nesting: 32,
  /** Segments inside one another. */
  segmentNesting: 16,
  /** Values that aliases of one file may stand for, all together. */
  aliasValues: 10_000,
  /** Notes told about one file, and about all. */
  notesPerFile: 100,
  notes: 1_000,
} as const;
