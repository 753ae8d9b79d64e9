"""A small task application as it was before Nudge: HTTP in, PostgreSQL, events over aiokafka, consumers in groups.

Written for the test. Tables, topics and JSON are those of the system that Nudge replaces; the code is ours. Two parts are what
docs/MIGRATION.md asks of it: consumers do nothing that follows from a message with the header `nudge-origin`, and the consumer
`nudge-apply` writes those messages back to the tables.

Usage: old_app.py KAFKA POSTGRES    one line `ready PORT` on standard output, then it serves on loopback until its input ends.
"""

import asyncio
import datetime
import json
import sys
import uuid

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import InconsistentGroupProtocolError

SCHEMA = """
CREATE TABLE categories (id SERIAL PRIMARY KEY, user_id TEXT NOT NULL, name VARCHAR(50) NOT NULL, color TEXT);
CREATE TABLE tags (id SERIAL PRIMARY KEY, user_id TEXT NOT NULL, name VARCHAR(30) NOT NULL, color TEXT);
CREATE TABLE tasks (
  id SERIAL PRIMARY KEY, user_id TEXT NOT NULL, title VARCHAR(200) NOT NULL, description TEXT, completed BOOLEAN NOT NULL DEFAULT FALSE,
  priority TEXT, due_date TIMESTAMP, category_id INTEGER, recurrence_rule TEXT, reminder_sent BOOLEAN NOT NULL DEFAULT FALSE,
  created_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc'), updated_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc'));
CREATE TABLE task_tags (task_id INTEGER NOT NULL, tag_id INTEGER NOT NULL, PRIMARY KEY (task_id, tag_id));
CREATE TABLE gone (id INTEGER PRIMARY KEY);
-- For the way back: when each field of a row was changed, so that what Nudge's users did earlier to another field is not passed over.
CREATE TABLE field_times (task_id INTEGER NOT NULL, field TEXT NOT NULL, at TIMESTAMP NOT NULL, PRIMARY KEY (task_id, field));
CREATE FUNCTION note_fields() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO field_times
    SELECT NEW.id, key, NEW.updated_at FROM jsonb_each(to_jsonb(NEW)) mine JOIN jsonb_each(to_jsonb(OLD)) before USING (key)
    WHERE mine.value IS DISTINCT FROM before.value AND key <> 'updated_at'
    ON CONFLICT (task_id, field) DO UPDATE SET at = excluded.at;
  RETURN NULL;
END
$body$;
CREATE TRIGGER note_fields AFTER UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION note_fields();
-- What the test counts: every message that a group took, where it was, whether Nudge wrote it, and whether the group acted on it.
CREATE TABLE seen (
  group_id TEXT NOT NULL, topic TEXT NOT NULL, place INTEGER NOT NULL, at_offset BIGINT NOT NULL, event_id TEXT NOT NULL,
  event_type TEXT NOT NULL, user_id TEXT NOT NULL, task_id BIGINT NOT NULL, of_nudge BOOLEAN NOT NULL, acted BOOLEAN NOT NULL);
"""

COLUMNS = ("title", "description", "priority", "due_date", "recurrence_rule", "category_id", "completed")


def naive(text):
    """A timestamp as the tables have it: UTC without an offset."""
    if text is None:
        return None
    at = datetime.datetime.fromisoformat(text)
    return at.astimezone(datetime.timezone.utc).replace(tzinfo=None) if at.tzinfo else at


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class App:
    def __init__(self, kafka, postgres):
        self.kafka, self.postgres = kafka, postgres
        self.groups = {}

    async def start(self):
        self.pool = await asyncpg.create_pool(self.postgres, min_size=2, max_size=8)
        await self.pool.execute(SCHEMA)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        await admin.create_topics([
            NewTopic("task-events", 3, 1), NewTopic("task-recurrence", 1, 1), NewTopic("task-reminders", 1, 1)])
        await admin.close()
        self.producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", enable_idempotence=True)
        await self.producer.start()

    async def stop(self):
        for group in list(self.groups):
            await self.stop_group(group)
        await self.producer.stop()
        await self.pool.close()

    # --- the writing side ---

    async def publish(self, topic, kind, row, at, **more):
        event = {
            "event_id": str(uuid.uuid4()), "event_type": kind, "timestamp": at.isoformat(), "user_id": int(row["user_id"]),
            "schema_version": "1.0", "task_id": row["id"], **more}
        await self.producer.send_and_wait(topic, json.dumps(event).encode(), key=str(row["id"]).encode())
        return event["event_id"]

    async def create(self, user, body):
        values = [body.get(name) for name in ("title", "description", "priority", "due_date", "category_id", "recurrence_rule")]
        values[3] = naive(values[3])
        at = now()
        row = await self.pool.fetchrow(
            "INSERT INTO tasks (user_id, title, description, priority, due_date, category_id, recurrence_rule, created_at, updated_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING *", user, *values, at)
        tags = body.get("tag_ids", [])
        for tag in tags:
            await self.pool.execute("INSERT INTO task_tags VALUES ($1, $2)", row["id"], tag)
        fields = {name: body.get(name) for name in ("title", "description", "priority", "due_date", "recurrence_rule", "category_id")}
        await self.publish("task-events", "task.created", row, at, **fields, tag_ids=tags)
        return row["id"]

    async def update(self, task, body):
        at = now()
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(body, 3))
        values = [naive(value) if name == "due_date" else value for name, value in body.items()]
        row = await self.pool.fetchrow(f"UPDATE tasks SET updated_at = $2, {sets} WHERE id = $1 RETURNING *", task, at, *values)
        if row:
            await self.publish("task-events", "task.updated", row, at, updated_fields=body)
        return bool(row)

    async def complete(self, task):
        at = now()
        row = await self.pool.fetchrow(
            "UPDATE tasks SET completed = TRUE, updated_at = $2 WHERE id = $1 AND NOT completed RETURNING *", task, at)
        if row:
            await self.publish(
                "task-recurrence", "task.completed", row, at, recurrence_rule=row["recurrence_rule"], completed_at=at.isoformat())
        return bool(row)

    async def delete(self, task):
        row = await self.pool.fetchrow("DELETE FROM tasks WHERE id = $1 RETURNING *", task)
        if row:
            await self.publish("task-events", "task.deleted", row, now())
        return bool(row)

    async def remind(self, task):
        row = await self.pool.fetchrow("UPDATE tasks SET reminder_sent = TRUE WHERE id = $1 RETURNING *", task)
        due = row["due_date"].isoformat()
        await self.publish(
            "task-reminders", "reminder.sent", row, now(), task_title=row["title"], task_description=row["description"],
            task_due_date=due, task_priority=row["priority"], reminder_time=due)

    # --- consumers ---

    async def start_group(self, group, topics):
        # Kafka lets another client into a group when the session of the last one has ended.
        for attempt in range(120):
            consumer = AIOKafkaConsumer(
                *topics, bootstrap_servers=self.kafka, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False)
            try:
                await consumer.start()
                break
            except InconsistentGroupProtocolError:
                await consumer.stop()
                await asyncio.sleep(0.5)
        handling = asyncio.Lock()
        self.groups[group] = (consumer, handling, asyncio.create_task(self.consume(group, consumer, handling)))

    async def stop_group(self, group):
        consumer, handling, task = self.groups.pop(group)
        # Effect and offset belong together: what was begun is done before.
        async with handling:
            task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        await consumer.stop()

    async def consume(self, group, consumer, handling):
        async for message in consumer:
            async with handling:
                await self.handle(group, consumer, message)

    async def handle(self, group, consumer, message):
        try:
            event = json.loads(message.value)
        except ValueError:
            await consumer.commit()
            return
        of_nudge = any(name == "nudge-origin" for name, _ in message.headers)
        act = {
            "audit": lambda: True,
            "nudge-apply": lambda: of_nudge,
            "notification-service": lambda: not of_nudge,
            "recurring-task-service": lambda: not of_nudge,
        }[group]()
        seen = await self.pool.fetchval(
            "SELECT 1 FROM seen WHERE group_id = $1 AND event_id = $2 AND acted", group, event["event_id"])
        await self.pool.execute(
            "INSERT INTO seen VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", group, message.topic, message.partition,
            message.offset, event["event_id"], event["event_type"], str(event["user_id"]), event["task_id"], of_nudge,
            act and not seen)
        if act and not seen:
            if group == "nudge-apply":
                await self.apply(event)
            elif group == "recurring-task-service" and event.get("recurrence_rule"):
                await self.next_occurrence(event)
        await consumer.commit()

    async def next_occurrence(self, event):
        row = await self.pool.fetchrow("SELECT * FROM tasks WHERE id = $1", event["task_id"])
        if row and row["due_date"]:
            due = row["due_date"] + datetime.timedelta(days=1)
            await self.create(row["user_id"], {
                "title": row["title"], "description": row["description"], "priority": row["priority"],
                "recurrence_rule": row["recurrence_rule"], "due_date": due.isoformat()})

    async def apply(self, event):
        """What Nudge's users did, written to the tables, so that there is a way back."""
        task, at = event["task_id"], naive(event["timestamp"])
        if event["event_type"] == "task.created":
            async with self.pool.acquire() as connection, connection.transaction():
                created = await connection.fetchval(
                    "INSERT INTO tasks (id, user_id, title, description, priority, due_date, recurrence_rule, category_id, created_at, updated_at) "
                    "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9 WHERE NOT EXISTS (SELECT 1 FROM gone WHERE id = $1) "
                    "ON CONFLICT DO NOTHING RETURNING id",
                    task, str(event["user_id"]), event["title"], event["description"], event["priority"], naive(event["due_date"]),
                    event["recurrence_rule"], event["category_id"], at)
                # An event that arrives again must not bring back the tags that the task had at first.
                if created:
                    await self.attach(connection, task, event["tag_ids"])
        elif event["event_type"] == "task.updated":
            fields = dict(event["updated_fields"])
            tags = fields.pop("tag_ids", None)
            assert set(fields) <= set(COLUMNS), fields
            async with self.pool.acquire() as connection, connection.transaction():
                # A change that a user makes here meanwhile waits, or its times are seen.
                if not await connection.fetchval("SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE", task):
                    return
                for name, value in fields.items():
                    # As in Nudge, the later change of a field counts.
                    changed = await connection.fetchval(
                        f"UPDATE tasks SET {name} = $3, updated_at = GREATEST(updated_at, $2) WHERE id = $1 AND NOT EXISTS "
                        "(SELECT 1 FROM field_times WHERE task_id = $1 AND field = $4 AND at > $2) RETURNING id",
                        task, at, naive(value) if name == "due_date" else value, name)
                    if changed:
                        await connection.execute(
                            "INSERT INTO field_times VALUES ($1, $2, $3) ON CONFLICT (task_id, field) DO UPDATE SET at = excluded.at",
                            task, name, at)
                newer = "SELECT 1 FROM field_times WHERE task_id = $1 AND field = 'tag_ids' AND at > $2"
                if tags is not None and not await connection.fetchval(newer, task, at):
                    await self.attach(connection, task, tags)
                    await connection.execute(
                        "INSERT INTO field_times VALUES ($1, 'tag_ids', $2) ON CONFLICT (task_id, field) DO UPDATE SET at = excluded.at",
                        task, at)
        elif event["event_type"] == "task.deleted":
            await self.pool.execute("INSERT INTO gone VALUES ($1) ON CONFLICT DO NOTHING", task)
            await self.pool.execute("DELETE FROM tasks WHERE id = $1", task)
        elif event["event_type"] == "reminder.sent":
            await self.pool.execute("UPDATE tasks SET reminder_sent = TRUE WHERE id = $1", task)

    async def attach(self, connection, task, tags):
        await connection.execute("DELETE FROM task_tags WHERE task_id = $1", task)
        for tag in tags:
            await connection.execute("INSERT INTO task_tags VALUES ($1, $2)", task, tag)

    # --- what the test asks ---

    async def offsets(self, group):
        """What a group has committed, by topic and partition, beside where the partition ends."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        committed = await admin.list_consumer_group_offsets(group)
        await admin.close()
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        ends = await consumer.end_offsets(list(committed))
        await consumer.stop()
        return {f"{place.topic}/{place.partition}": [at.offset, ends[place]] for place, at in committed.items()}

    async def messages(self, topic):
        """Every message of a topic."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        places = [TopicPartition(topic, place) for place in consumer.partitions_for_topic(topic) or await self.partitions(topic)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        texts = []
        for place in places:
            await consumer.seek_to_beginning(place)
            while await consumer.position(place) < ends[place]:
                for batch in (await consumer.getmany(place, timeout_ms=200)).values():
                    texts += [message.value.decode() for message in batch]
        await consumer.stop()
        return texts

    async def partitions(self, topic):
        await self.producer.client.force_metadata_update()
        return await self.producer.partitions_for(topic)

    # --- HTTP ---

    async def answer(self, method, path, body):
        match method, path.strip("/").split("/"):
            case "POST", ["users", user, "tasks"]:
                return 201, {"id": await self.create(user, body)}
            case "PATCH", ["tasks", task]:
                return (200 if await self.update(int(task), body) else 404), {}
            case "POST", ["tasks", task, "complete"]:
                return (200 if await self.complete(int(task)) else 404), {}
            case "POST", ["tasks", task, "remind"]:
                await self.remind(int(task))
                return 200, {}
            case "DELETE", ["tasks", task]:
                return (200 if await self.delete(int(task)) else 404), {}
            case "POST", ["groups", group]:
                await self.start_group(group, body["topics"])
                return 200, {}
            case "DELETE", ["groups", group]:
                await self.stop_group(group)
                return 200, {}
            case "GET", ["groups", group]:
                return 200, await self.offsets(group)
            case "GET", ["topics", topic]:
                return 200, await self.messages(topic)
            case "POST", ["raw", topic]:
                await self.producer.send_and_wait(topic, body["text"].encode(), key=b"raw")
                return 200, {}
        return 404, {}

    async def serve(self, reader, writer):
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split()
                length = 0
                while (header := await reader.readline()).strip():
                    name, _, value = header.decode().partition(":")
                    if name.lower() == "content-length":
                        length = int(value)
                body = json.loads(await reader.readexactly(length)) if length else {}
                try:
                    status, answer = await self.answer(method, path, body)
                except Exception as error:
                    print(f"{method} {path}: {error!r}", file=sys.stderr, flush=True)
                    status, answer = 500, {"error": repr(error)}
                data = json.dumps(answer).encode()
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def main():
    app = App(sys.argv[1], sys.argv[2])
    await app.start()
    server = await asyncio.start_server(app.serve, "127.0.0.1", 0)
    print(f"ready {server.sockets[0].getsockname()[1]}", flush=True)
    # Whoever started this ends it by closing its input, or by dying.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()
    await app.stop()


asyncio.run(main())
