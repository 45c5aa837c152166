//! Microsoft Graph and Entra over HTTP
