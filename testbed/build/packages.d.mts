export function countPackages(
  go: string,
  build: {
    readonly package: string;
    readonly flags: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal?: AbortSignal;
  },
): Promise<number | undefined>;
