#!/usr/bin/env node
console.log(process.version, process.argv.slice(2))
process.exit(process.argv[2] === "x" ? 3 : 0)
