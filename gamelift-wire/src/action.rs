//! The words that name messages.

use crate::open_enum::open_enum;

open_enum! {
    /// The sixteen messages of server SDK 5.6.0.
    Action {
        /// `ProcessReady`.
        ActivateServerProcess = "ActivateServerProcess",
        /// A heartbeat.
        HeartbeatServerProcess = "HeartbeatServerProcess",
        /// `ProcessEnding`.
        TerminateServerProcess = "TerminateServerProcess",
        /// Players may join.
        ActivateGameSession = "ActivateGameSession",
        /// Open or close for new players.
        UpdatePlayerSessionCreationPolicy = "UpdatePlayerSessionCreationPolicy",
        /// A player connected.
        AcceptPlayerSession = "AcceptPlayerSession",
        /// A player left.
        RemovePlayerSession = "RemovePlayerSession",
        /// Look players up.
        DescribePlayerSessions = "DescribePlayerSessions",
        /// Find players for open slots.
        StartMatchBackfill = "StartMatchBackfill",
        /// Stop looking.
        StopMatchBackfill = "StopMatchBackfill",
        /// The compute's TLS certificate.
        GetComputeCertificate = "GetComputeCertificate",
        /// The fleet role's credentials.
        GetFleetRoleCredentials = "GetFleetRoleCredentials",
        /// Push: host a game session.
        CreateGameSession = "CreateGameSession",
        /// Push: a game session changed.
        UpdateGameSession = "UpdateGameSession",
        /// Push: end.
        TerminateProcess = "TerminateProcess",
        /// Push: move to another endpoint.
        RefreshConnection = "RefreshConnection",
    }
}
