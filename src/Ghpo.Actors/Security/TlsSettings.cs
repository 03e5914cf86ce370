namespace Ghpo.Security;

/// <summary>ghpo.cluster.tls</summary>
/// <param name="Ca">PEM file of the certificate authority that signed every member's certificate.</param>
/// <param name="Certificate">PEM file of this member's certificate.</param>
/// <param name="Key">PEM file of its private key.</param>
public sealed record TlsSettings(bool Enabled, string Ca, string Certificate, string Key);
