/** Gives each text a small number, and keeps it once. */
export class Interner {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  numberOf(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.length;
      this.#texts.push(text);
      this.#numbers.set(text, number);
    }
    return number;
  }

  has(text: string): boolean {
    return this.#numbers.has(text);
  }

  textOf(number: number): string {
    return this.#texts[number] ?? '';
  }
}
