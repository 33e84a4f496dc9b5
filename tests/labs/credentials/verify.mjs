// Verifies the badges of a file with @digitalbazaar/vc: the verdict of each, in order, as a line of JSON.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [, , frontend, file] = process.argv
const require = createRequire(pathToFileURL(`${frontend}/package.json`))
const load = async (name) => import(pathToFileURL(require.resolve(name)))

const vc = await load('@digitalbazaar/vc')
const { DataIntegrityProof } = await load('@digitalbazaar/data-integrity')
const { cryptosuite } = await load('@digitalbazaar/eddsa-rdfc-2022-cryptosuite')
const { securityLoader } = await load('@digitalcredentials/security-document-loader')

const documentLoader = securityLoader({ fetchRemoteContexts: false }).build()
const suite = new DataIntegrityProof({ cryptosuite })
for (const credential of JSON.parse(readFileSync(file, 'utf8'))) {
  const result = await vc.verifyCredential({
    credential, suite, documentLoader, checkStatus: async () => ({ verified: true })
  })
  const why = result.verified ? '' : String(result.error?.errors?.[0]?.message ?? result.error?.message ?? result.error)
  console.log(JSON.stringify({ verified: result.verified, why }))
}
