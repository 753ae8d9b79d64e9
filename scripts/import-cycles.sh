#!/usr/bin/env bash
# Finds import cycles between the source files of a crate: files that use each other, directly or through others.
#
# Usage: scripts/import-cycles.sh FOLDER…       such as components/api/src; needs bash, find and awk.
# Prints each cycle with the imports that form it. Exits with 1 if there is a cycle, with 2 if a folder is missing.
#
# An import is a path that begins with `crate`, `super`, `self` or a child module, in a `use` or in the code. It counts for the file
# of the longest module in the path. These do not count: a `mod` declaration, what a module takes from its own ancestors (`use super::…`
# for what the parent defines), and everything in an item under `#[cfg(test)]`.
set -euo pipefail
(( $# )) || { echo 'Usage: scripts/import-cycles.sh FOLDER…' >&2; exit 2; }

found=0
for folder; do
  [[ -d $folder ]] || { printf 'There is no folder %s\n' "$folder" >&2; exit 2; }
  find "$folder" -name '*.rs' -print | LC_ALL=C sort | LC_ALL=C awk -v root="${folder%/}" '
    # module_of FILE: src/lib.rs is crate, src/a.rs and src/a/mod.rs are crate::a.
    function module_of(file) {
      sub(/\.rs$/, "", file); file = substr(file, length(root) + 2)
      sub(/(^|\/)mod$/, "", file); sub(/^(lib|main)$/, "", file); gsub(/\//, "::", file)
      return file == "" ? "crate" : "crate::" file
    }

    # A line without strings, characters and comments, so that what is left is code.
    function code_of(line) {
      gsub(/\047(\\.|[^\\\047])\047/, "", line); gsub(/"(\\.|[^"\\])*"/, "", line); sub(/\/\/.*/, "", line)
      return line
    }

    function count(text, what) { return gsub(what, "", text) }

    # The code of a file as one line, without the items under #[cfg(test)].
    function read(file,    line, text, skipping, depth) {
      text = ""; skipping = 0
      while ((getline line < file) > 0) {
        line = code_of(line)
        if (!skipping && line ~ /^[ \t]*#\[cfg\((test|all\(test)/) { skipping = 1; depth = 0; sub(/^[ \t]*#\[cfg\([^]]*\]/, "", line) }
        if (skipping) {
          depth += count(line, "{") - count(line, "}")
          if (depth == 0 && line ~ /[;}][ \t]*$/) skipping = 0
          continue
        }
        text = text " " line
      }
      close(file)
      return text
    }

    # next_token: takes the first token off `rest` and returns it.
    function next_token(    token) {
      sub(/^[ \t]+/, "", rest)
      if (match(rest, /^([A-Za-z_][A-Za-z0-9_]*|::)/)) token = substr(rest, 1, RLENGTH)
      else token = substr(rest, 1, 1)
      rest = substr(rest, length(token) + 1)
      return token
    }
    function peek(    saved, token) { saved = rest; token = next_token(); rest = saved; return token }

    function parent_of(module) { return sub(/::[^:]*$/, "", module) ? module : "crate" }

    # note FROM PATH: an import of the file of the longest module in the path.
    function note(from, path,    name, part) {
      name = "*"
      while (!(path in file_of)) {
        part = path; sub(/.*::/, "", part); name = part
        if (!sub(/::[^:]*$/, "", path)) return
      }
      if (path == from || index(from, path "::") == 1) return
      if (!((from, path) in edge)) edge[from, path] = name
      else if (index(", " edge[from, path] ", ", ", " name ", ") == 0) edge[from, path] = edge[from, path] ", " name
    }

    # use_path FROM PREFIX: reads what follows PREFIX, up to the end of the path or of its group in braces.
    function use_path(from, prefix,    token) {
      if (peek() != "::") { note(from, prefix); return }
      next_token(); token = peek()
      if (token == "{") {
        next_token()
        while (rest != "" && peek() != "}") {
          token = next_token()
          if (token == "self") note(from, prefix)
          else if (token == "*") note(from, prefix "::*")
          else if (token ~ /^[A-Za-z_]/) { use_path(from, prefix "::" token); if (peek() == "as") { next_token(); next_token() } }
        }
        next_token()
      } else if (token ~ /^[A-Za-z_]/) {
        next_token()
        use_path(from, token == "super" ? parent_of(prefix) : prefix "::" token)
      } else note(from, prefix "::*")
    }

    function imports(from, text,    token, before, depth, inline, opened, module, base) {
      rest = text; before = ""; depth = 0; inline = 0; module = from
      while (rest ~ /[^ \t]/) {
        token = next_token()
        if (token == "{") depth++
        else if (token == "}") {
          depth--
          if (inline && opened[inline] == depth) { inline--; module = parent_of(module) }
        } else if (token == "mod" && peek() ~ /^[A-Za-z_]/) {
          base = next_token()
          if (peek() == "{") { opened[++inline] = depth; module = module "::" base }
        } else if (before != "::" && before != "." && token ~ /^[A-Za-z_]/ && peek() == "::") {
          if (token == "crate") use_path(from, "crate")
          else if (token == "self") use_path(from, module)
          else if (token == "super") use_path(from, parent_of(module))
          else if ((module "::" token) in file_of) use_path(from, module "::" token)
        }
        before = token
      }
    }

    { file_of[module_of($0)] = $0; order[++files] = module_of($0) }

    END {
      for (i = 1; i <= files; i++) imports(order[i], read(file_of[order[i]]))
      for (pair in edge) { split(pair, ends, SUBSEP); reach[ends[1], ends[2]] = 1 }
      for (k = 1; k <= files; k++) for (i = 1; i <= files; i++) if ((order[i], order[k]) in reach)
        for (j = 1; j <= files; j++) if ((order[k], order[j]) in reach) reach[order[i], order[j]] = 1
      for (i = 1; i <= files; i++) {
        a = order[i]
        if (a in told || !((a, a) in reach)) continue
        size = 0
        for (j = i; j <= files; j++) if ((a, order[j]) in reach && (order[j], a) in reach) { member[++size] = order[j]; told[order[j]] = 1 }
        printf "cycle of %d files\n", size
        for (j = 1; j <= size; j++) for (k = 1; k <= size; k++) if ((member[j], member[k]) in edge)
          printf "  %s -> %s: %s\n", file_of[member[j]], file_of[member[k]], edge[member[j], member[k]]
        cycles++
      }
      exit cycles > 0
    }' || found=1
done
exit "$found"
