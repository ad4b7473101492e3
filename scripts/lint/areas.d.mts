export declare const FLOORS: readonly string[];
export declare function refuseImport(file: string, source: string): string | undefined;
