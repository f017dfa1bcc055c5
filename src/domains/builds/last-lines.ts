/** The last lines of a text that comes in pieces. */
const linesMax = 20
const lineCharactersMax = 1000

export class LastLines {
  #lines: string[] = []
  #begun = ''

  add(text: string): void {
    const [first = '', ...rest] = text.split('\n')
    this.#begun = (this.#begun + first).slice(0, lineCharactersMax)
    for (const line of rest) {
      this.#lines.push(this.#begun)
      this.#begun = line.slice(0, lineCharactersMax)
    }
    this.#lines = this.#lines.slice(-linesMax)
  }

  get lines(): readonly string[] {
    return [...this.#lines, ...(this.#begun === '' ? [] : [this.#begun])].slice(-linesMax)
  }
}
