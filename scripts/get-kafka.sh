#!/usr/bin/env bash
# Fetches Apache Kafka 4.1.2 from Maven Central into a cache outside the checkout, and prints that folder. Needs Java 17 and Maven.
#
# Usage: scripts/get-kafka.sh           (NUDGE_CACHE: another cache than ~/.cache/nudge)
set -euo pipefail

version=4.1.2
folder=${NUDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nudge}/kafka-$version

say() { printf '%s\n' "$*" >&2; }

if [ -d "$folder" ]; then
  say "Kafka $version is in $folder"
  printf '%s\n' "$folder"
  exit 0
fi
for program in java mvn; do
  command -v "$program" >/dev/null || { say "$program is missing"; exit 1; }
done

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
dependency() { printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>' "$@"; }
{
  printf '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
  printf '<groupId>nudge</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>'
  dependency org.apache.kafka kafka_2.13 "$version"
  dependency org.apache.kafka kafka-tools "$version"
  dependency org.slf4j slf4j-simple 1.7.36
  printf '</dependencies></project>\n'
} >"$build/pom.xml"
say "Fetching Kafka $version from Maven Central (56 MB)"
mvn -q -f "$build/pom.xml" dependency:copy-dependencies -DoutputDirectory="$build/jars" >&2
# Two bindings of slf4j would disagree; this one writes to a log that the tests read.
rm -f "$build"/jars/*reload4j*
mkdir -p "$(dirname "$folder")"
# A download that was cut off leaves nothing behind.
mv "$build/jars" "$folder"
say "Kafka $version is in $folder ($SECONDS s)"
printf '%s\n' "$folder"
