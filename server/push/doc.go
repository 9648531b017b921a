// Package push wakes clients that nobody looks at, by services of their makers (XEP-0357).
//
// Inside: [New], which lets clients name such services, and tells those services that messages have come. Not inside: push services.
//
// It must never tell a service more than how many messages there are: neither who wrote nor what, since what a message says has a label
// and the service is somebody else's; never wait for a service while a message is on its way, and never ask one that does not answer
// for every message.
//
// # Decisions
//
//   - A service is asked when a message comes that would be kept for later (mam.Keeps, or it only is to be in no archive) and the client
//     that named it is not there, has lost its connection, or says that nobody looks at it (XEP-0352); and when the connection of a client
//     is lost that was looked at and has not acknowledged such a message.
//   - One notification is on its way to a service at a time; what comes meanwhile is told with the next, as a count.
//   - A service that answers that it does not know the client, or that it will not serve it, is forgotten; one that does not answer
//     is not.
package push
