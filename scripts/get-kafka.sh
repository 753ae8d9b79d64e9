#!/usr/bin/env bash
# Downloads Apache Kafka 4.1.2 from Maven Central into a cache outside the checkout, and prints that folder. Needs Java 17 and Maven.
#
# Usage: scripts/get-kafka.sh           (NUDGE_CACHE: the cache, by default ~/.cache/nudge)
set -euo pipefail
# shellcheck source=scripts/parts.sh
source "$(dirname "$0")/parts.sh"

version=4.1.2
folder=$cache/kafka-$version
have "Kafka $version" "$folder" .
need java mvn

scratch
dependency() { printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>' "$@"; }
{
  printf '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
  printf '<groupId>nudge</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>'
  dependency org.apache.kafka kafka_2.13 "$version"
  dependency org.apache.kafka kafka-tools "$version"
  dependency org.slf4j slf4j-simple 1.7.36
  printf '</dependencies></project>\n'
} >"$build/pom.xml"
say "Downloading Kafka $version from Maven Central (56 MB)"
mvn -q -f "$build/pom.xml" dependency:copy-dependencies -DoutputDirectory="$build/jars" >&2
# Two bindings of slf4j would conflict; this one writes to a log that the tests read.
rm -f "$build"/jars/*reload4j*
put "Kafka $version" "$folder" "$build/jars"
