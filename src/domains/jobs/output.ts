/**
 * What a transient unit writes while it runs, and how it ends. A unit of this name that runs already is joined: it was asked for before, by the
 * same request, of an agent that has ended meanwhile.
 */
import type { Host, TransientEnd, TransientUnit } from '../../host/index.ts'

/**
 * The journal is behind systemd, on a busy host by seconds: lines are let through until systemd's own line on the end has come, and a moment longer
 * since the lines of two programs may change places.
 */
const lastLinesMs = 100
const lastLineMs = 5000

export interface Job {
  /** Without the journal's own words and without those of systemd. */
  readonly lines: AsyncIterable<string>
  readonly end: Promise<TransientEnd>
}

/** The unit is started when the lines are first asked for. */
export function linesOfJob(host: Pick<Host, 'units' | 'journal' | 'clock'>, unit: TransientUnit, signal: AbortSignal): Job {
  const end = Promise.withResolvers<TransientEnd>()
  // Who reads the lines sees a failure there as well.
  end.promise.catch(() => undefined)
  return { lines: lines(host, unit, { signal, end }), end: end.promise }
}

async function* lines(
  host: Pick<Host, 'units' | 'journal' | 'clock'>,
  unit: TransientUnit,
  { signal, end }: { readonly signal: AbortSignal; readonly end: PromiseWithResolvers<TransientEnd> },
): AsyncGenerator<string> {
  const stop = new AbortController()
  const journal = host.journal.lines({ unit: unit.name, since: 'now', isFollowing: true }, AbortSignal.any([signal, stop.signal]))
  const run = async (): Promise<TransientEnd> =>
    (await host.units.joinTransient(unit.name, signal)) ?? (await host.units.runTransient(unit, signal))
  const lastLine = Promise.withResolvers<void>()
  void run()
    .then(end.resolve, end.reject)
    .then(() => Promise.race([lastLine.promise, host.clock.sleep(lastLineMs, stop.signal)]))
    .then(() => host.clock.sleep(lastLinesMs, stop.signal))
    .catch(() => undefined)
    .finally(() => stop.abort())
  for await (const line of journal) {
    if (isEndOfUnit(line)) lastLine.resolve()
    const text = textOfLine(line)
    if (text !== undefined) yield text
  }
  await end.promise
}

function isEndOfUnit(line: string): boolean {
  return / systemd\[1\]: \S+: (?:Deactivated successfully|Failed with result)/.test(line)
}

/** Programs that write to the journal about what they do for the unit. */
const strangers = ['systemd', 'useradd', 'userdel']

/** `Nov 25 01:02:03 host gear[17]: text`; undefined for lines that are not of the unit's own output. */
function textOfLine(line: string): string | undefined {
  const [, identifier, text] = /^\S+ +\d+ [\d:]+ \S+ ([^\s[\]:]+)(?:\[\d+\])?: (.*)$/s.exec(line) ?? []
  return identifier !== undefined && strangers.includes(identifier) ? undefined : (text ?? line)
}
