/** Work that is left before an answer is given up. One budget may be shared by many questions about one listing or one look. */
export class Budget {
  readonly #steps: number;
  #left: number;

  /** @param steps about 20 to 50 ns each; what a step is, each caller documents */
  constructor(steps: number) {
    this.#steps = steps;
    this.#left = steps;
  }

  get spent(): number {
    return this.#steps - this.#left;
  }

  /** True when nothing is left: whatever is asked now is answered "not compared". */
  get isSpent(): boolean {
    return this.#left <= 0;
  }

  get left(): number {
    return Math.max(0, this.#left);
  }

  /**
   * Counts work that is about to be done.
   *
   * @throws OverBudget when it is more than what is left
   */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new OverBudget();
  }

  /** A budget of at most `steps`; what is spent from it is spent here too. */
  part(steps: number): Budget {
    return new PartBudget(this, Math.min(steps, this.left));
  }
}

/** Spends from its own share and from the whole. */
class PartBudget extends Budget {
  readonly #whole: Budget;

  constructor(whole: Budget, steps: number) {
    super(steps);
    this.#whole = whole;
  }

  override spend(steps: number): void {
    this.#whole.spend(steps);
    super.spend(steps);
  }
}

/** Thrown by {@link Budget.spend}; whoever made the budget catches it and says that nothing was compared. */
export class OverBudget extends Error {
  constructor() {
    super("more work than the budget allows");
    this.name = "OverBudget";
  }
}
