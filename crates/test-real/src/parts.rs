//! Brokers and state stores to choose from, and what a machine lacks for a choice.

use test_dapr::{Dapr, Kafka, RabbitMq, Redis};
use test_postgres::Server;

/// What carries the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broker {
    /// Apache Kafka.
    Kafka,
    /// Redis, with its streams.
    RedisStreams,
    /// RabbitMQ.
    RabbitMq,
}

/// What keeps the services' state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// PostgreSQL.
    Postgresql,
    /// Redis.
    Redis,
}

/// One choice of broker and state store.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// What carries the events.
    pub broker: Broker,
    /// What keeps the services' state.
    pub state: State,
}

impl Parts {
    /// The choice of suites that run on one only.
    pub const USUAL: Self = Self {
        broker: Broker::Kafka,
        state: State::Postgresql,
    };

    pub(crate) fn wants_redis(self) -> bool {
        self.broker == Broker::RedisStreams || self.state == State::Redis
    }

    /// What this machine lacks for it, and how to get that; `None` if it lacks nothing.
    pub fn missing(self) -> Option<String> {
        let missing = [
            Dapr::find().err(),
            (self.broker == Broker::Kafka)
                .then(Kafka::find)
                .and_then(Result::err),
            self.wants_redis().then(Redis::find).and_then(Result::err),
            (self.broker == Broker::RabbitMq)
                .then(RabbitMq::find)
                .and_then(Result::err),
        ];
        let missing = missing.iter().flatten().map(ToString::to_string);
        let mut missing: Vec<String> = missing.chain(Server::missing().map(str::to_owned)).collect();
        missing.dedup();
        (!missing.is_empty()).then(|| missing.join("; "))
    }

    /// The folders of `dapr-components` that a daprd loads.
    pub(crate) fn folders(self) -> [&'static str; 4] {
        let broker = match self.broker {
            Broker::Kafka => "kafka",
            Broker::RedisStreams => "redis-streams",
            Broker::RabbitMq => "rabbitmq",
        };
        let state = match self.state {
            State::Postgresql => "postgresql",
            State::Redis => "redis",
        };
        ["common", "subscriptions", broker, state]
    }
}
