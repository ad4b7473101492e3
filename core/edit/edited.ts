/** The file after an edit, or why it cannot be made so that nothing else changes. */
export type Edited = { readonly ok: string } | { readonly refused: string };
