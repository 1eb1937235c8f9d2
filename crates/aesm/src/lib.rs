//! The AESM wire: frames, typed requests and responses, a blocking client.
