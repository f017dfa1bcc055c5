/**
 * Runs every test there is and closes with one line, `N passed, N failed`, over all of them: each test of each suite, and format with lint,
 * types, tidy, documents and shell scripts as one each. Everything is run, whatever failed before. A suite is counted by the report it
 * wrote, never by its text; a test that was skipped has failed.
 *
 * Usage: node tools/test.ts [--quick | --v2]      --quick leaves out the suites; --v2 runs only the one on a QEMU machine, which no other run has
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const repository = new URL('..', import.meta.url).pathname

export interface Count {
  readonly passed: number
  readonly failed: number
}

interface Check {
  readonly name: string
  readonly command: readonly string[]
  /** The file in which it reports each of its tests, as vitest's JSON reporter writes it; without one the exit code is all there is. */
  readonly report?: string
}

function checks(): readonly Check[] {
  return [
    { name: 'format and lint', command: ['node_modules/.bin/biome', 'check', '.'] },
    { name: 'types', command: ['node_modules/.bin/tsc', '--noEmit'] },
    { name: 'tidy', command: [process.execPath, 'tools/tidy.ts'] },
    { name: 'documents', command: [process.execPath, 'tools/docs.ts', '--check'] },
    {
      name: 'shell scripts',
      // SC2016: quotes that keep $ for another shell are on purpose.
      command: ['shellcheck', '--external-sources', '--source-path=SCRIPTDIR', '--exclude=SC2016', ...shellScripts()],
    },
  ]
}

function suites(reports: string): readonly Check[] {
  return [
    suite('unit, golden, compat and sim', ['run'], join(reports, 'unit.json')),
    { name: 'the lab itself', command: ['lab/lab-test'] },
    suite('end to end on hosts of the lab', ['run', '--config', 'test/host/vitest.config.ts'], join(reports, 'host.json')),
  ]
}

function suitesOnMachines(reports: string): readonly Check[] {
  return [suite('on a machine with pure cgroup v2', ['run', '--config', 'test/host/machines.config.ts'], join(reports, 'v2.json'))]
}

function suite(name: string, words: readonly string[], report: string): Check {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  return { name, report, command: [process.execPath, 'node_modules/vitest/vitest.mjs', ...words, ...reporters] }
}

async function main(which: 'all' | 'quick' | 'v2'): Promise<void> {
  const reports = mkdtempSync(join(tmpdir(), 'gear-test-'))
  const counts: Count[] = []
  const failures: string[] = []
  try {
    const chosen = { all: [...checks(), ...suites(reports)], quick: checks(), v2: suitesOnMachines(reports) }[which]
    for (const check of chosen) {
      print(`\n== ${check.name}\n`)
      const exitCode = await run(check.command)
      const count = check.report === undefined ? countOf(exitCode) : countReport(readReport(check.report), exitCode)
      counts.push(count)
      if (count.failed > 0) failures.push(`${check.name}: ${count.failed} failed`)
    }
  } finally {
    rmSync(reports, { recursive: true })
  }
  const total = sum(counts)
  print(`\n${failures.map(line => `${line}\n`).join('')}${total.passed} passed, ${total.failed} failed\n`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

function print(text: string): void {
  process.stdout.write(text)
}

/** The exit code; 1 for a program that is missing or was ended by a signal. */
function run([program = '', ...args]: readonly string[]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  spawn(program, args, { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'], env: withoutNode(process.env) })
    .on('error', error => {
      print(`${error.message}\n`)
      resolve(1)
    })
    .on('close', code => resolve(code ?? 1))
  return promise
}

/** What is set for Node on this machine must not decide how tests end. */
function withoutNode(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('NODE_')))
}

/** Every script of ours that a shell runs, by its first line; files that are only sourced come in through those that source them. */
function shellScripts(): readonly string[] {
  return ['bin', 'libexec', 'lab', 'packaging', 'packaging/client', 'tools', '.githooks', '.ci'].flatMap(folder =>
    readdirSync(join(repository, folder))
      .map(name => join(folder, name))
      .filter(
        path =>
          statSync(join(repository, path)).isFile() &&
          /^#!.*\b(sh|bash)\n|^# shellcheck shell=/.test(readFileSync(join(repository, path), 'utf8')),
      ),
  )
}

interface Report {
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

function readReport(path: string): Report | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : undefined
}

function countOf(exitCode: number): Count {
  return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

/**
 * Each test, and each file that failed before any of its tests. A suite that failed otherwise, or reported nothing at all, is one
 * failure more.
 */
export function countReport(report: Report | undefined, exitCode: number): Count {
  const count = sum((report?.testResults ?? []).map(countFile))
  const isComplete = count.passed + count.failed > 0 && (exitCode === 0 || count.failed > 0)
  return isComplete ? count : { passed: count.passed, failed: count.failed + 1 }
}

function countFile({ status, assertionResults }: Report['testResults'][number]): Count {
  const passed = assertionResults.filter(result => result.status === 'passed').length
  const failed = assertionResults.length - passed
  return { passed, failed: failed === 0 && status !== 'passed' ? 1 : failed }
}

function sum(counts: readonly Count[]): Count {
  return {
    passed: counts.reduce((total, { passed }) => total + passed, 0),
    failed: counts.reduce((total, { failed }) => total + failed, 0),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(process.argv.includes('--v2') ? 'v2' : process.argv.includes('--quick') ? 'quick' : 'all')
}
