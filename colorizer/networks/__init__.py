"""What torch trains: encoder, generators and discriminator."""
