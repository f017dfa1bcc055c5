/** A transient unit in the properties that StartTransientUnit takes (org.freedesktop.systemd1(5)), each with its D-Bus type. */
import type { TransientUnit } from './port.ts'

type Property = readonly [name: string, value: readonly [signature: string, value: unknown]]

export function transientProperties(unit: TransientUnit): readonly Property[] {
  const { command, variables = {} } = unit
  return [
    ['Description', ['s', unit.description]],
    ['Slice', ['s', unit.slice]],
    // started is when the program has been executed, so that one that cannot be fails the start
    ['Type', ['s', 'exec']],
    // the other ExecStart would put variables of the environment in place of `$NAME`
    ['ExecStartEx', ['a(sasas)', [[command[0], command, ['no-env-expand']]]]],
    // forgotten when it has ended, but not before this connection has let go of it
    ['CollectMode', ['s', 'inactive-or-failed']],
    ['AddRef', ['b', true]],
    // a stop asks the command itself only: what it starts to clear up is not to be asked to end as well
    ['KillMode', ['s', 'mixed']],
    ...given(unit.user, user => ['User', ['s', user]]),
    ...given(variables, () => ['Environment', ['as', Object.entries(variables).map(([name, value]) => `${name}=${value}`)]]),
    ...given(unit.memoryBytes, bytes => ['MemoryMax', ['t', BigInt(bytes)]]),
    ...given(unit.tasksMax, tasks => ['TasksMax', ['t', BigInt(tasks)]]),
    ...given(unit.runMs, ms => ['RuntimeMaxUSec', ['t', microseconds(ms)]]),
    ...given(unit.stopMs, ms => ['TimeoutStopUSec', ['t', microseconds(ms)]]),
  ]
}

function given<Value>(value: Value | undefined, property: (value: Value) => Property): readonly Property[] {
  return value === undefined ? [] : [property(value)]
}

function microseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000))
}
