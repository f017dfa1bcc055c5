// The beginning of gear as a client. Written for any Node, since an old one has to be told.
var major = Number(process.versions.node.split('.')[0])
if (major < 26) {
  process.stderr.write(`gear: Node 26 or later is needed, and ${process.execPath} is ${process.versions.node}\n`)
  process.exit(1)
}
require('./dist/main.cjs')
