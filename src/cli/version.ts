/** The version of this build. Imported by the start of the program, so nothing may be imported here but the number itself. */
import packageFile from '../../package.json' with { type: 'json' }

export const { version } = packageFile
