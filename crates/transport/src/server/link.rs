//! A session as the connector holds it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use joinery_proto::v1;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use crate::assembly::parts;
use crate::pump::{Outlet, Over, Why};
use crate::wire::from_agent_message;
use crate::{Closed, FromAgent, ToAgent};

/// A session with one agent. Dropping its receiving half ends it in order.
#[derive(Debug)]
pub struct ConnectorLink {
    sender: ConnectorSender,
    receiver: ConnectorReceiver,
}

/// The half that sends.
#[derive(Debug, Clone)]
pub struct ConnectorSender {
    outlet: Outlet<v1::ConnectorMessage>,
}

/// The half that receives.
#[derive(Debug)]
pub struct ConnectorReceiver {
    inbox: mpsc::Receiver<v1::AgentMessage>,
    over: Over,
    done: bool,
}

impl ConnectorLink {
    pub(crate) fn new(outlet: Outlet<v1::ConnectorMessage>, inbox: mpsc::Receiver<v1::AgentMessage>) -> Self {
        let over = outlet.over.clone();
        Self { sender: ConnectorSender { outlet }, receiver: ConnectorReceiver { inbox, over, done: false } }
    }

    /// Sends; see [`ConnectorSender::send`].
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn send(&mut self, message: ToAgent) -> Result<(), Closed> {
        self.sender.send(message).await
    }

    /// Receives; see [`ConnectorReceiver::recv`].
    pub async fn recv(&mut self) -> Option<FromAgent> {
        self.receiver.recv().await
    }

    /// Both halves, for two tasks.
    pub fn split(self) -> (ConnectorSender, ConnectorReceiver) {
        (self.sender, self.receiver)
    }
}

impl ConnectorSender {
    /// Sends, in parts where the message is large, and waits while the agent does not read. Given up in the middle, the
    /// agent sees nothing of the message.
    ///
    /// # Errors
    /// [`Closed`] where the session is over, or is now because the agent has not read for [`crate::Timing::send`].
    pub async fn send(&self, message: ToAgent) -> Result<(), Closed> {
        for part in parts(message) {
            self.outlet.send(part).await?;
        }
        Ok(())
    }
}

impl ConnectorReceiver {
    /// The next message; `None` when the session is over. May be given up and called again without loss.
    pub async fn recv(&mut self) -> Option<FromAgent> {
        while !self.done {
            match from_agent_message(self.inbox.recv().await?) {
                Ok(Some(message)) => return Some(message),
                // A kind that a newer agent knows.
                Ok(None) => {}
                Err(malformed) => {
                    self.done = true;
                    self.over.end(Why::Malformed(malformed.0));
                }
            }
        }
        None
    }
}

/// The stream of a response: messages while there are any, then the status, if one was set.
pub(crate) struct Outgoing<M> {
    messages: mpsc::Receiver<M>,
    status: oneshot::Receiver<Status>,
    /// Set once the other end of `status` was used or dropped: nothing is sent after that.
    end: Option<Option<Status>>,
}

impl<M> Outgoing<M> {
    pub(crate) fn new(messages: mpsc::Receiver<M>) -> (Self, oneshot::Sender<Status>) {
        let (end, status) = oneshot::channel();
        (Self { messages, status, end: None }, end)
    }
}

impl<M> Stream for Outgoing<M> {
    type Item = Result<M, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // In this order: what was sent before the end is in the queue when the end is seen.
        if self.end.is_none() {
            match Pin::new(&mut self.status).poll(cx) {
                Poll::Ready(status) => self.end = Some(status.ok()),
                Poll::Pending => {}
            }
        }
        match (self.messages.poll_recv(cx), self.end.as_mut()) {
            (Poll::Ready(Some(message)), _) => Poll::Ready(Some(Ok(message))),
            (Poll::Ready(None) | Poll::Pending, Some(status)) => Poll::Ready(status.take().map(Err)),
            (Poll::Ready(None) | Poll::Pending, None) => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    async fn check(end: impl FnOnce(oneshot::Sender<Status>), want: &[Result<u8, &str>]) {
        let (send, messages) = mpsc::channel(4);
        let (stream, status) = Outgoing::new(messages);
        send.try_send(1_u8).unwrap();
        send.try_send(2).unwrap();
        end(status);
        let got: Vec<_> = stream.collect().await;
        let got: Vec<_> =
            got.iter().map(|item| item.as_ref().map(|number| *number).map_err(Status::message)).collect();
        assert_eq!(got, want);
    }

    #[tokio::test]
    async fn everything_sent_comes_before_the_end() {
        check(drop, &[Ok(1), Ok(2)]).await;
        check(|status| status.send(Status::unavailable("over")).unwrap(), &[Ok(1), Ok(2), Err("over")]).await;
    }
}
