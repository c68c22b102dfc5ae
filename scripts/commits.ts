/**
 * Holds the form of commit messages, of every commit since this rule was made:
 * a subject of at most 72 characters in plain words, without a prefix such as
 * `fix:` and without a full stop, and an empty line before a body.
 *
 *     node scripts/commits.ts
 */
import { spawnSync } from "node:child_process"
import { type Finding, report, workspace } from "./source.ts"

/** One commit, as `git log` gives it. */
export interface Commit {
  readonly hash: string
  readonly message: string
}

const longest = 72

/** What is wrong with a commit's message. */
export const faults = ({ hash, message }: Commit): ReadonlyArray<Finding> => {
  const [subject = "", second = ""] = message.split("\n")
  const refuse = (message: string): Finding => ({ at: hash, message: `${message}: ${subject}` })
  return [
    ...(subject.trim() === "" ? [refuse("no subject")] : []),
    ...(subject.length > longest ? [refuse(`a subject of ${subject.length} characters, more than ${longest}`)] : []),
    ...(/^\w+(\([^)]*\))?!?: /.test(subject) && /^[a-z]/.test(subject) ? [refuse("a prefix")] : []),
    ...(subject.endsWith(".") ? [refuse("a full stop at the end of the subject")] : []),
    ...(second === "" ? [] : [refuse("no empty line after the subject")])
  ]
}

const git = (...args: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = spawnSync("git", args, { cwd: workspace, encoding: "utf8" })
  if (error) throw error
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`)
  return stdout
}

/** The commits from the one that made this rule on; of a shallow clone those that it has. */
const commits = (): ReadonlyArray<Commit> => {
  const first = git("log", "--diff-filter=A", "--format=%H", "--", "scripts/commits.ts").trim().split("\n").at(-1)
  if (first === undefined || first === "") return []
  const range = git("rev-list", "--parents", "-1", first).trim().includes(" ") ? `${first}^..HEAD` : "HEAD"
  return git("log", "--no-merges", "--format=%h%x00%B%x01", range)
    .split("\x01")
    .map((entry) => entry.trimStart().split("\0"))
    .flatMap(([hash, message]) => hash && message ? [{ hash, message: message.trimEnd() }] : [])
}

if (import.meta.main) report(commits().flatMap(faults), "Commit messages have their form.")
