export function buildWeb(outDir: string): Promise<readonly string[]>;
export function buildOwnWeb(): Promise<void>;
