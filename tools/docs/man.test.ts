import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { stiFlags } from '../../src/cli/sti-words.ts'
import { summaries } from '../../src/cli/summaries.ts'
import { manualPages } from './man.ts'

const pages = new Map(manualPages('1.2.3'))

function shown(text: string): string {
  return execFileSync('groff', ['-man', '-Tascii', '-P-cbou', '-rLL=200n'], { input: text, encoding: 'utf8' })
}

test('there is a page for every command, one for all, and one for sti', () => {
  expect([...pages.keys()]).toEqual(['gear.1', ...Object.keys(summaries).map(name => `gear-${name}.1`), 'sti.1'])
})

describe('a page', () => {
  test.each([...pages])('%s is clean in the eyes of groff', (_, text) => {
    const { stderr, status } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: text, encoding: 'utf8' })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  })

  test('says what --help says', () => {
    const text = shown(pages.get('gear-install.1') ?? '')
    expect(text).toMatch(/NAME\n +gear-install - install an image as a systemd service/)
    expect(text).toMatch(/SYNOPSIS\n +gear install IMAGE NAME\.\.\. \[VARIABLE=VALUE\.\.\.\] \[flags\]/)
    expect(text).toMatch(/-p, --ports PAIRS\n +Port pairs internal:external/)
    expect(text).toContain('gear install --start -p 8080:0 acme/shop web-1')
    expect(text).not.toContain('--transport')
  })

  test('of all lists every command with its summary', () => {
    const text = shown(pages.get('gear.1') ?? '')
    for (const [name, summary] of Object.entries(summaries)) expect(text).toMatch(new RegExp(`gear-${name}\\(1\\)\\s+${summary}\\.`))
  })

  test('of sti says what sti --help says', () => {
    const text = shown(pages.get('sti.1') ?? '')
    expect(text).toMatch(/SYNOPSIS\n +sti build SOURCE IMAGE TAG \[flags\]\n +sti usage IMAGE \[flags\]\n +sti version\n/)
    for (const { name, brief } of stiFlags) expect(text).toMatch(new RegExp(`--${name}( \\S+)?\\s+${brief.replace(/[().]/g, '.')}`, 'i'))
  })
})
